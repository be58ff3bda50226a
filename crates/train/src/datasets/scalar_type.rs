//! Number types of other programs' files.

/// Type of a stored number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScalarType {
    /// Kind of number, NumPy's letter: `f` floating point, `i` and `u` integer, `b` boolean; and `B` for bfloat16, which NumPy
    /// lacks.
    kind: char,
    /// Size in bytes.
    pub size: usize,
    big_endian: bool,
}

impl ScalarType {
    /// Returns the little-endian type of a kind and a size; `None` if it is not a real number.
    pub fn new(letter: char, size: usize) -> Option<Self> {
        let fits = match letter {
            'f' => [2, 4, 8].contains(&size),
            'i' | 'u' => [1, 2, 4, 8].contains(&size),
            'b' => size == 1,
            'B' => size == 2,
            _ => false,
        };
        fits.then_some(Self {
            kind: letter,
            size,
            big_endian: false,
        })
    }

    /// Parses a type in NumPy's notation, such as `<f8`.
    pub fn from_numpy(descr: &str) -> Option<Self> {
        let mut chars = descr.chars();
        let big_endian = match chars.next()? {
            '<' | '|' => false,
            '>' => true,
            '=' => cfg!(target_endian = "big"),
            _ => return None,
        };
        let letter = chars.next().filter(|letter| *letter != 'B')?;
        let kind = Self::new(letter, chars.as_str().parse().ok()?)?;
        Some(Self { big_endian, ..kind })
    }

    /// Returns the name of the type in NumPy and PyTorch.
    pub fn name(self) -> String {
        let bits = 8 * self.size;
        match self.kind {
            'f' => format!("float{bits}"),
            'i' => format!("int{bits}"),
            'u' => format!("uint{bits}"),
            'b' => "bool".into(),
            _ => "bfloat16".into(),
        }
    }

    /// Decodes every number in `bytes`, converted to float64.
    pub fn decode_all(self, bytes: &[u8]) -> Vec<f64> {
        bytes
            .chunks_exact(self.size)
            .map(|b| self.decode(b))
            .collect()
    }

    /// Decodes one number from `self.size` bytes.
    fn decode(self, bytes: &[u8]) -> f64 {
        let mut low_first = [0; 8];
        for (i, byte) in bytes.iter().enumerate() {
            low_first[if self.big_endian {
                self.size - 1 - i
            } else {
                i
            }] = *byte;
        }
        let bits = u64::from_le_bytes(low_first);
        match (self.kind, self.size) {
            ('f', 2) => half_to_f64(bits as u16),
            ('f', 4) => f64::from(f32::from_bits(bits as u32)),
            ('f', _) => f64::from_bits(bits),
            // bfloat16 is the upper half of a float32.
            ('B', _) => f64::from(f32::from_bits((bits as u32) << 16)),
            ('i', size) => {
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
            _ => bits as f64,
        }
    }
}

/// Converts an IEEE 754 binary16 number: 1 sign bit, 5 bits of exponent, 10 of fraction.
fn half_to_f64(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let size = match i32::from(bits >> 10 & 0x1f) {
        0 => fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        // numpy.frombuffer(bytes, "<f2"): ones, the largest, the smallest normal and subnormal, an ordinary one.
        let kind = ScalarType::from_numpy("<f2").unwrap();
        for (bits, value) in [
            (0x3c00u16, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103515625e-5),
            (0x0001, 5.960464477539063e-8),
            (0x3555, 0.333251953125),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(kind.decode_all(&bits.to_le_bytes()), [value]);
        }
        assert!(kind.decode_all(&0x7e00u16.to_le_bytes())[0].is_nan());
    }

    #[test]
    fn bfloat16_is_the_upper_half_of_a_float() {
        let kind = ScalarType::new('B', 2).unwrap();
        let bits = (std::f32::consts::PI.to_bits() >> 16) as u16;
        // torch.tensor(math.pi).bfloat16().item()
        assert_eq!(kind.decode_all(&bits.to_le_bytes()), [3.140625]);
        assert!(ScalarType::from_numpy("<B2").is_none());
    }
}
