//! kitty's terminal graphics protocol: a PNG in base64, in chunks of at most 4096 bytes.
//! <https://sw.kovidgoyal.net/kitty/graphics-protocol/>

use base64::{Engine, prelude::BASE64_STANDARD};

/// Largest size of a chunk in bytes.
const CHUNK_SIZE: usize = 4096;

/// Returns the escape sequences that transmit and show a PNG (`a=T`, `f=100`), scaled to `columns`; the terminal's responses are
/// suppressed (`q=2`).
pub(super) fn encode(png: &[u8], columns: u16) -> Vec<u8> {
    let data = BASE64_STANDARD.encode(png);
    let pieces: Vec<&[u8]> = data.as_bytes().chunks(CHUNK_SIZE).collect();
    let mut bytes = Vec::with_capacity(data.len() + 32 * pieces.len());
    for (i, piece) in pieces.iter().enumerate() {
        let more = u8::from(i + 1 < pieces.len());
        let control = match i {
            0 => format!("a=T,f=100,q=2,c={columns},m={more}"),
            _ => format!("m={more}"),
        };
        bytes.extend_from_slice(b"\x1b_G");
        bytes.extend_from_slice(control.as_bytes());
        bytes.push(b';');
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\x1b\\");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_picture() {
        let png: Vec<u8> = (0..10_000u32).map(|i| (i % 251) as u8).collect();
        let text = String::from_utf8(encode(&png, 80)).unwrap();
        let pieces: Vec<&str> = text
            .split("\x1b\\")
            .filter(|piece| !piece.is_empty())
            .collect();
        assert_eq!(pieces.len(), 4);
        let mut data = String::new();
        for (i, piece) in pieces.iter().enumerate() {
            let (control, payload) = piece
                .strip_prefix("\x1b_G")
                .unwrap()
                .split_once(';')
                .unwrap();
            assert!(payload.len() <= CHUNK_SIZE);
            assert_eq!(control.contains("a=T,f=100"), i == 0);
            assert!(control.ends_with(if i == 3 { "m=0" } else { "m=1" }));
            data.push_str(payload);
        }
        assert_eq!(BASE64_STANDARD.decode(data).unwrap(), png);
    }
}
