//! Paths as text and back: the script language has text only, and on Unix a path may hold any bytes.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The characters that stand for bytes which are no text begin here, near the end of Unicode's last area for private use.
const FIRST: u32 = 0x10_FE00;

/// Returns a path or an argument as text, in which each byte that is no UTF-8 is a character for private use; [`from_text`] turns it back.
///
/// On Windows, where there are no such bytes, what is no Unicode is replaced.
pub fn to_text(path: impl AsRef<OsStr>) -> String {
    let path = path.as_ref();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let mut text = String::new();
        for chunk in path.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            let bytes = chunk.invalid().iter();
            text.extend(bytes.filter_map(|byte| char::from_u32(FIRST + u32::from(*byte))));
        }
        text
    }
    #[cfg(not(unix))]
    path.to_string_lossy().into_owned()
}

/// Returns the path that a text from [`to_text`] stands for; another path is returned as it is.
pub fn from_text(path: &Path) -> Cow<'_, Path> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let byte = |c: char| u8::try_from(u32::from(c).checked_sub(FIRST)?).ok();
        if let Some(text) = path.to_str()
            && text.chars().any(|c| byte(c).is_some())
        {
            let mut bytes = vec![];
            for c in text.chars() {
                match byte(c) {
                    Some(byte) => bytes.push(byte),
                    None => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
            return Cow::Owned(OsString::from_vec(bytes).into());
        }
    }
    Cow::Borrowed(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn any_bytes_are_text_and_back() {
        for bytes in [
            &b"plain/path"[..],
            b"x\xff",
            "häuser/\u{10FFFD}".as_bytes(),
            b"\xc3(\x80a\xf0\x9f",
        ] {
            let path = Path::new(OsStr::from_bytes(bytes));
            let text = to_text(path);
            assert_eq!(
                path.to_str().is_some_and(|plain| plain == text),
                bytes.is_ascii() || text.starts_with('h')
            );
            assert_eq!(from_text(Path::new(&text)), path, "{text}");
        }
    }
}
