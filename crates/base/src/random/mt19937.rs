//! The pseudorandom number generator Mersenne Twister mt19937.

const N: usize = 624;
const M: usize = 397;

/// The state of the generator: 624 words and the index of the next one to return.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Mt19937Repr", into = "Mt19937Repr")]
pub(super) struct Mt19937 {
    words: Box<[u32; N]>,
    next: usize,
}

/// The saved form of [`Mt19937`], as in checkpoints.
#[derive(serde::Serialize, serde::Deserialize)]
struct Mt19937Repr {
    words: Vec<u32>,
    next: usize,
}

impl From<Mt19937> for Mt19937Repr {
    fn from(engine: Mt19937) -> Self {
        Self {
            words: engine.words.to_vec(),
            next: engine.next,
        }
    }
}

impl TryFrom<Mt19937Repr> for Mt19937 {
    type Error = String;

    fn try_from(saved: Mt19937Repr) -> Result<Self, String> {
        let words: Box<[u32; N]> = saved.words.try_into().map_err(|words: Vec<u32>| {
            format!("a generator state has {N} words, not {}", words.len())
        })?;
        if saved.next > N {
            return Err(format!(
                "a generator state's position is at most {N}, not {}",
                saved.next
            ));
        }
        Ok(Self {
            words,
            next: saved.next,
        })
    }
}

impl Mt19937 {
    /// Creates the state after seeding with 32 bits.
    pub(super) fn new(seed: u32) -> Self {
        let mut words = Box::new([0; N]);
        words[0] = seed;
        for i in 1..N {
            let previous = words[i - 1];
            words[i] = (previous ^ (previous >> 30))
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i as u32);
        }
        Self { words, next: N }
    }

    /// Returns the next 32 random bits.
    pub(super) fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.twist();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        let words = &mut self.words;
        for i in 0..N {
            let mixed = (words[i] & 0x8000_0000) | (words[(i + 1) % N] & 0x7fff_ffff);
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            words[i] = words[(i + M) % N] ^ (mixed >> 1) ^ odd;
        }
        self.next = 0;
    }
}
