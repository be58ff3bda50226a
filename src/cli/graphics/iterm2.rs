//! iTerm2's inline images: one escape sequence with the file in base64. <https://iterm2.com/documentation-images.html>

use base64::{Engine, prelude::BASE64_STANDARD};

/// Returns the escape sequence that shows a PNG `columns` wide.
pub(super) fn encode(png: &[u8], columns: u16) -> Vec<u8> {
    let data = BASE64_STANDARD.encode(png);
    let head = format!(
        "\x1b]1337;File=inline=1;size={};width={columns};preserveAspectRatio=1:",
        png.len()
    );
    [head.as_bytes(), data.as_bytes(), b"\x07"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_holds_the_file() {
        let text = String::from_utf8(encode(b"png", 80)).unwrap();
        assert_eq!(
            text,
            "\x1b]1337;File=inline=1;size=3;width=80;preserveAspectRatio=1:cG5n\x07"
        );
    }
}
