//! The elements that a MATLAB file up to version 7 consists of: a tag with type and length, and bytes ("MAT-File Format", MathWorks).

use std::io::Read;

/// An element: its type and its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatElement<'a> {
    pub kind: u32,
    pub bytes: &'a [u8],
}

/// Types of elements.
pub(super) const MATRIX: u32 = 14;
pub(super) const COMPRESSED: u32 = 15;

/// Elements one after the other.
#[derive(Debug, Clone)]
pub(super) struct MatElements<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> MatElements<'a> {
    pub fn new(bytes: &'a [u8], is_big_endian: bool) -> Self {
        MatElements {
            bytes,
            is_big_endian,
        }
    }

    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    fn word(&self, at: usize) -> Option<u32> {
        let word = self.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(match self.is_big_endian {
            true => u32::from_be_bytes(word),
            false => u32::from_le_bytes(word),
        })
    }

    /// Returns the next element; `None` where the bytes end within it.
    pub fn take_element(&mut self) -> Option<MatElement<'a>> {
        let first = self.word(0)?;
        // A small element has its length in the upper half, and its bytes in the second word.
        let small = (first >> 16) as usize;
        let (kind, begin, length): (u32, usize, usize) = match small {
            0 => (first, 8, self.word(4)? as usize),
            _ => (first & 0xffff, 4, small),
        };
        let bytes = self.bytes.get(begin..begin.checked_add(length)?)?;
        let end = match (small, kind) {
            (0, COMPRESSED) => begin + length,
            (0, _) => (begin + length).next_multiple_of(8),
            _ => 8,
        };
        // The last element may lack what fills it up to a multiple of 8.
        self.bytes = self.bytes.get(end..).unwrap_or_default();
        Some(MatElement { kind, bytes })
    }

    /// Returns the next element as whole numbers.
    pub fn take_integers(&mut self) -> Option<Vec<i64>> {
        let is_big_endian = self.is_big_endian;
        let element = self.take_element()?;
        let numbers = element.numbers(is_big_endian)?;
        Some(numbers.into_iter().map(|x| x as i64).collect())
    }

    /// Returns the next element as text.
    pub fn take_text(&mut self) -> Option<String> {
        let bytes = self.take_element()?.bytes;
        Some(
            String::from_utf8_lossy(bytes)
                .trim_end_matches('\0')
                .to_string(),
        )
    }
}

impl MatElement<'_> {
    /// Returns the numbers of an element; `None` where it holds none.
    pub fn numbers(&self, is_big_endian: bool) -> Option<Vec<f64>> {
        macro_rules! decode {
            ($type:ty) => {{
                let size = size_of::<$type>();
                let decode = |chunk: &[u8]| -> Option<f64> {
                    let chunk = chunk.try_into().ok()?;
                    let value = match is_big_endian {
                        true => <$type>::from_be_bytes(chunk),
                        false => <$type>::from_le_bytes(chunk),
                    };
                    Some(value as f64)
                };
                self.bytes.chunks(size).map(decode).collect()
            }};
        }
        match self.kind {
            1 => decode!(i8),
            2 => decode!(u8),
            3 => decode!(i16),
            4 => decode!(u16),
            5 => decode!(i32),
            6 => decode!(u32),
            7 => decode!(f32),
            9 => decode!(f64),
            12 => decode!(i64),
            13 => decode!(u64),
            _ => None,
        }
    }

    /// Returns the text of an element of characters.
    pub fn text(&self, is_big_endian: bool) -> Option<String> {
        match self.kind {
            1 | 2 | 16 => Some(String::from_utf8_lossy(self.bytes).into_owned()),
            4 | 17 => {
                let numbers = MatElement { kind: 4, ..*self }.numbers(is_big_endian)?;
                let units: Vec<u16> = numbers.into_iter().map(|x| x as u16).collect();
                Some(String::from_utf16_lossy(&units))
            }
            _ => None,
        }
    }

    /// Unpacks an element; `None` where it is damaged or has more than `most` bytes.
    pub fn unpack(&self, most: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![];
        let mut reader = flate2::read::ZlibDecoder::new(self.bytes).take(most as u64 + 1);
        reader.read_to_end(&mut bytes).ok()?;
        (bytes.len() <= most).then_some(bytes)
    }
}
