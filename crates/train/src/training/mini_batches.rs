//! Mini-batches: the division of the samples into parts, of which each step takes one.

use super::options::TrainOptions;
use odesync_base::random::{Generator, with_default_generator};

/// Division of the samples of a data set into mini-batches, another one in each epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct MiniBatches {
    /// Number of samples of a batch.
    size: usize,
    samples: usize,
}

impl MiniBatches {
    /// Creates the division of so many samples; `None` where a batch has all of them.
    pub fn new(size: Option<usize>, samples: usize) -> Option<Self> {
        let size = size.filter(|size| (1..samples).contains(size))?;
        Some(MiniBatches { size, samples })
    }

    /// Returns the samples of each batch of an epoch. They depend on the seed and the epoch only, so that a resumed run has those of
    /// one that was never stopped.
    pub fn of_epoch(&self, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
        let mut generator = Generator::manual_seed(mix(seed, epoch as u64));
        let shuffled = generator.permutation(self.samples);
        shuffled.chunks(self.size).map(<[usize]>::to_vec).collect()
    }

    /// Returns the share of all samples that a batch has.
    pub fn share(&self, batch: &[usize]) -> f64 {
        batch.len() as f64 / self.samples as f64
    }
}

/// Returns the seed that shuffles the batches of a run.
pub(super) fn shuffle_seed(options: &TrainOptions) -> u64 {
    let default = || with_default_generator(|generator| generator.seed());
    options.shuffle_seed.unwrap_or_else(default)
}

/// Returns a seed for an epoch, unlike those of other epochs and seeds: the output function of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(seed: u64, epoch: u64) -> u64 {
    let z = seed.wrapping_add((epoch + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_one_batch_of_each_epoch() {
        let batches = MiniBatches::new(Some(7), 24).unwrap();
        for epoch in 0..50 {
            let all = batches.of_epoch(10, epoch);
            assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 3]);
            let mut samples = all.concat();
            samples.sort_unstable();
            assert!(samples.into_iter().eq(0..24));
        }
    }

    #[test]
    fn epochs_and_seeds_are_shuffled_differently() {
        let batches = MiniBatches::new(Some(64), 256).unwrap();
        let first = batches.of_epoch(10, 0);
        assert_eq!(first, batches.of_epoch(10, 0));
        assert_ne!(first, batches.of_epoch(10, 1));
        assert_ne!(first, batches.of_epoch(11, 0));
        // The next seed does not have the batches of the next epoch.
        assert_ne!(batches.of_epoch(10, 1), batches.of_epoch(11, 0));
    }

    #[test]
    fn a_sample_is_as_often_in_one_batch_as_in_another() {
        // 4000 draws of the batch that sample 0 is in: the deviation of a count of 1000 is 27.
        let batches = MiniBatches::new(Some(5), 20).unwrap();
        let mut counts = [0; 4];
        for epoch in 0..4000 {
            let all = batches.of_epoch(1, epoch);
            let at = all.iter().position(|batch| batch.contains(&0)).unwrap();
            counts[at] += 1;
        }
        assert!(counts.iter().all(|n| (880..1120).contains(n)), "{counts:?}");
    }

    #[test]
    fn a_batch_of_all_samples_is_none() {
        assert!(MiniBatches::new(Some(8), 8).is_none());
        assert!(MiniBatches::new(None, 8).is_none());
    }
}
