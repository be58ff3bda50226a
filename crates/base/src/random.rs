//! PyTorch's CPU generator, so that a seed means the same with and without libtorch.
//!
//! [`Generator::manual_seed`] is `torch.manual_seed`; the draws consume random words in the same order as PyTorch's CPU kernels,
//! so a sequence of draws equals the same sequence in PyTorch: uniform draws bit for bit, normal draws to the rounding of float32
//! (PyTorch's vectorised logarithm, sine and cosine differ from the exact ones by a few units in the last place).
//!
//! Sources: M. Matsumoto, T. Nishimura, *Mersenne Twister*, ACM TOMACS 8 (1998); PyTorch 2.11,
//! `aten/src/ATen/core/{MT19937RNGEngine,DistributionsHelper,TransformationHelper}.h` and
//! `aten/src/ATen/native/cpu/DistributionTemplates.h`.

use std::f64::consts::PI;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod mt19937;
#[cfg(test)]
mod tests;

use mt19937::Mt19937;

use crate::notebook;

/// Smallest number of normal draws that PyTorch's block algorithm makes; fewer are made by its scalar algorithm.
const MIN_BLOCK_DRAWS: usize = 16;

/// PyTorch's CPU random number generator.
///
/// The whole state is serialisable, so that a run can be resumed exactly.
///
/// ```
/// use odesync_base::random::Generator;
///
/// let mut generator = Generator::manual_seed(10);
/// // torch.manual_seed(10); torch.rand(2)
/// assert_eq!(generator.uniform(0.0, 1.0, 2), [0.45808464, 0.48285657]);
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Generator {
    seed: u64,
    engine: Mt19937,
    /// The second value of the last scalar Box-Muller pair, as bits: text formats round floats.
    next_normal: Option<u64>,
}

impl Generator {
    /// Creates a generator in the state that `torch.manual_seed(seed)` sets. As in PyTorch only the low 32 bits of the seed
    /// matter.
    pub fn manual_seed(seed: u64) -> Self {
        Self {
            seed,
            engine: Mt19937::new(seed as u32),
            next_normal: None,
        }
    }

    /// Returns the seed given to [`Generator::manual_seed`].
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the next 32 random bits.
    pub fn random(&mut self) -> u32 {
        self.engine.next_u32()
    }

    /// Returns the next 64 random bits: two words, of which the first is the high half.
    pub fn random64(&mut self) -> u64 {
        let high = u64::from(self.random());
        high << 32 | u64::from(self.random())
    }

    /// Returns the numbers from 0 to `n` − 1 in random order, as `torch.randperm(n)` does for `n` below 2³²/20.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in 0..n.saturating_sub(1) {
            all.swap(i, i + self.random() as usize % (n - i));
        }
        all
    }

    /// Returns `n` uniform draws from [`low`, `high`), as `torch.empty(n).uniform_(low, high)` in float32.
    pub fn uniform(&mut self, low: f64, high: f64, n: usize) -> Vec<f32> {
        let low = low as f32;
        // The span is a float32 difference, the rest is done in float64 and rounded once.
        let span = f64::from(high as f32 - low);
        let low = f64::from(low);
        (0..n)
            .map(|_| (self.unit_f32() * span + low) as f32)
            .collect()
    }

    /// Returns `n` uniform draws from [`low`, `high`), as `torch.empty(n, dtype=torch.float64).uniform_(low, high)`.
    pub fn uniform_f64(&mut self, low: f64, high: f64, n: usize) -> Vec<f64> {
        let span = high - low;
        // PyTorch's builds contract this into a fused multiply-add.
        (0..n).map(|_| self.unit_f64().mul_add(span, low)).collect()
    }

    /// Returns `n` draws from the normal distribution, as `torch.normal(mean, std * torch.ones(n))` (or `torch.randn(n)` for
    /// mean 0 and standard deviation 1) in float32.
    ///
    /// For a tensor of any shape `n` is its number of elements, in row-major order.
    pub fn normal(&mut self, mean: f64, std: f64, n: usize) -> Vec<f32> {
        let mut draws = if n < MIN_BLOCK_DRAWS {
            (0..n).map(|_| self.scalar_normal() as f32).collect()
        } else {
            self.block_normal(n)
        };
        if (mean, std) != (0.0, 1.0) {
            for x in &mut draws {
                *x = *x * std as f32 + mean as f32;
            }
        }
        draws
    }

    /// Returns a number in [0, 1) of 24 random bits, in float64 as PyTorch's accumulation type for float32.
    fn unit_f32(&mut self) -> f64 {
        f64::from(self.random() & 0x00ff_ffff) * 2f64.powi(-24)
    }

    /// Returns a number in [0, 1) of 53 random bits.
    fn unit_f64(&mut self) -> f64 {
        (self.random64() & ((1 << 53) - 1)) as f64 * 2f64.powi(-53)
    }

    /// Returns a normal draw by the Box-Muller method in float64; two calls share one pair.
    fn scalar_normal(&mut self) -> f64 {
        if let Some(bits) = self.next_normal.take() {
            return f64::from_bits(bits);
        }
        let u1 = self.unit_f64();
        let u2 = self.unit_f64();
        let radius = (-2.0 * (-u2).ln_1p()).sqrt();
        let theta = 2.0 * PI * u1;
        self.next_normal = Some((radius * theta.sin()).to_bits());
        radius * theta.cos()
    }

    /// Returns `n` normal draws by the Box-Muller method over blocks of 16 uniform draws; a remainder is filled by redrawing the
    /// last 16 values.
    fn block_normal(&mut self, n: usize) -> Vec<f32> {
        let mut draws: Vec<f32> = (0..n).map(|_| self.unit_f32() as f32).collect();
        for block in draws.chunks_exact_mut(MIN_BLOCK_DRAWS) {
            box_muller(block);
        }
        if !n.is_multiple_of(MIN_BLOCK_DRAWS) {
            let tail = &mut draws[n - MIN_BLOCK_DRAWS..];
            tail.fill_with(|| self.unit_f32() as f32);
            box_muller(tail);
        }
        draws
    }
}

/// Transforms 16 uniform draws to normal ones: value j is paired with value j + 8.
fn box_muller(block: &mut [f32]) {
    let (first, second) = block.split_at_mut(MIN_BLOCK_DRAWS / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let u1 = f64::from(1.0 - *a);
        // The angle is rounded to float32 as PyTorch does, but the functions are evaluated in float64: the result is then
        // the same on every machine.
        let theta = f64::from((2.0 * PI) as f32 * *b);
        let radius = (-2.0 * u1.ln()).sqrt() as f32;
        *a = radius * theta.cos() as f32;
        *b = radius * theta.sin() as f32;
    }
}

static DEFAULT_GENERATOR: Mutex<Option<Generator>> = Mutex::new(None);

/// Name of the default generator in the store that the cells of a notebook share.
const STORE_KEY: &str = "generator";

/// PyTorch's default seed, which applies until [`seed`] is called.
const DEFAULT_SEED: u64 = 67_280_421_310_721;

fn lock_default_generator() -> MutexGuard<'static, Option<Generator>> {
    DEFAULT_GENERATOR
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Seeds the default generator, as `torch.manual_seed(seed)` does. Models draw their weights from it when no generator is given.
pub fn seed(seed: u64) {
    let mut default = lock_default_generator();
    let generator = default.insert(Generator::manual_seed(seed));
    notebook::store(STORE_KEY, generator);
}

/// Calls `draw` with the default generator, which [`seed`] seeds.
pub fn with_default_generator<T>(draw: impl FnOnce(&mut Generator) -> T) -> T {
    let mut default = lock_default_generator();
    if let Some(stored) = notebook::load(STORE_KEY) {
        *default = Some(stored);
    }
    let generator = default.get_or_insert_with(|| Generator::manual_seed(DEFAULT_SEED));
    let drawn = draw(generator);
    notebook::store(STORE_KEY, generator);
    drawn
}

/// Returns the bound of the uniform draw of a `torch.nn.Linear` weight, 1/√fan_in, in PyTorch's arithmetic:
/// `kaiming_uniform_` with `a = √5` gives √3 · √(2 / (1 + a²)) / √fan_in, which may differ from the bias's bound
/// ([`linear_bias_bound`]) in the last place.
pub fn linear_weight_bound(fan_in: usize) -> f64 {
    let a = 5f64.sqrt();
    let gain = (2.0 / (1.0 + a * a)).sqrt();
    3f64.sqrt() * (gain / (fan_in as f64).sqrt())
}

/// Returns the bound of the uniform draw of a `torch.nn.Linear` bias, 1/√fan_in.
pub fn linear_bias_bound(fan_in: usize) -> f64 {
    1.0 / (fan_in as f64).sqrt()
}
