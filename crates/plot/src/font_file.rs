//! A font of the user's, from a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ab_glyph::FontVec;
use odesync_base::error::{Error, Result};
use odesync_base::files;
use odesync_base::options::{Mismatch, OptionKind, Value};

/// A font from a file, whose glyphs stand before those of the bundled one.
pub(super) struct FontFile {
    path: PathBuf,
    /// The file's bytes, which a PDF takes its glyphs from.
    pub bytes: Arc<Vec<u8>>,
    /// Name of the family.
    pub family: String,
    pub face: FontVec,
}

impl fmt::Debug for FontFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FontFile").field(&self.path).finish()
    }
}

impl PartialEq for FontFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.bytes == other.bytes
    }
}

impl FontFile {
    /// Reads a font in TrueType or OpenType format; of a collection, its first font.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that holds no font.
    pub fn read(path: &Path) -> Result<FontFile> {
        let bytes = files::read(path).map_err(|e| Error::io("read", path, &e))?;
        let no_font = |reason: &dyn fmt::Display| {
            Error::invalid(format!(
                "font_file: {} holds no font that can be read ({reason}); it takes a file .ttf, .otf or .ttc",
                path.display()
            ))
        };
        let described = ttf_parser::Face::parse(&bytes, 0).map_err(|e| no_font(&e))?;
        let family = described
            .names()
            .into_iter()
            .filter(|name| name.name_id == ttf_parser::name_id::FAMILY)
            .find_map(|name| name.to_string());
        let face = FontVec::try_from_vec_and_index(bytes.clone(), 0).map_err(|e| no_font(&e))?;
        let stem = || {
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        // What would end the name in a list of families, or the attribute that holds the list.
        let family: String = family
            .unwrap_or_else(stem)
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, ',' | '"' | '\'' | '<' | '>' | '&'))
            .collect();
        Ok(FontFile {
            path: path.to_owned(),
            bytes: Arc::new(bytes),
            family,
            face,
        })
    }
}

/// The path of a font, which is read when the option is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct FontFileOption;

impl OptionKind for FontFileOption {
    type Field = Arc<FontFile>;
    const EXPECTED: &'static str = "the path of a font";

    fn read(value: &Value) -> std::result::Result<Arc<FontFile>, Mismatch> {
        let path = value.text().ok_or(Mismatch::Value)?;
        Ok(Arc::new(FontFile::read(Path::new(path))?))
    }

    fn write(field: &Arc<FontFile>) -> Value {
        Value::Text(field.path.display().to_string())
    }
}
