//! The parts of an Excel workbook: a zip archive of XML (ECMA-376).

use std::io::{Cursor, Read};
use std::path::Path;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;

use super::format::TableFormat;
use super::serial_dates::NumberStyle;
use crate::datasets::data_error;
use odesync_base::error::{Error, Result};
use odesync_base::interrupt::check;
use odesync_base::memory::{format_bytes, limit};

/// The text of a workbook takes more memory than its archive's parts: their strings are copied.
const MEMORY_OF_TEXT: usize = 4;

/// A workbook whose parts are read one at a time.
pub(super) struct Workbook<'a> {
    path: &'a Path,
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Name of each sheet, and of the part that holds it.
    pub sheets: Vec<(String, String)>,
    /// Whether days are counted from 1904.
    pub is_1904: bool,
}

fn damaged(path: &Path, why: impl std::fmt::Display) -> Error {
    super::damaged(path, TableFormat::Excel, &why.to_string())
}

/// Returns the value of an attribute; `None` where there is none.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = element.attributes();
    let mut all = all.with_checks(false).flatten();
    let found = all.find(|a| a.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}

/// Calls `visit` with every event of a part.
pub(super) fn visit_events<'x>(
    path: &Path,
    xml: &'x str,
    mut visit: impl FnMut(Event<'x>) -> Result<()>,
) -> Result<()> {
    let mut reader = Reader::from_str(xml);
    // `<c/>` is `<c></c>`.
    reader.config_mut().expand_empty_elements = true;
    let mut events = 0_usize;
    loop {
        events += 1;
        if events.is_multiple_of(4096) {
            check()?;
        }
        match reader.read_event().map_err(|e| damaged(path, e))? {
            Event::Eof => return Ok(()),
            event => visit(event)?,
        }
    }
}

/// Adds the text of an event to `text`.
pub(super) fn push_text(event: &Event<'_>, text: &mut String) {
    match event {
        Event::Text(piece) => text.push_str(&piece.xml10_content()),
        Event::CData(piece) => text.push_str(&piece.xml10_content()),
        Event::GeneralRef(reference) => match reference.resolve_char_ref() {
            Ok(Some(c)) => text.push(c),
            _ => text.push_str(match &*reference.xml10_content() {
                "lt" => "<",
                "gt" => ">",
                "amp" => "&",
                "apos" => "'",
                "quot" => "\"",
                _ => "",
            }),
        },
        _ => {}
    }
}

impl<'a> Workbook<'a> {
    /// Opens a workbook, and reads which sheets it has.
    pub fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(path, e))?;
        let mut book = Workbook {
            path,
            archive,
            sheets: vec![],
            is_1904: false,
        };
        let targets = book.relations()?;
        let xml = book.part("xl/workbook.xml")?.ok_or_else(|| {
            data_error(
                path,
                None,
                None,
                "this is a workbook in another form than .xlsx: save it as .xlsx, or as CSV",
            )
        })?;
        let (mut sheets, mut is_1904) = (vec![], false);
        visit_events(path, &xml, |event| {
            if let Event::Start(element) = &event {
                match element.local_name().as_ref() {
                    "sheet" => {
                        let name = attribute(element, "name").unwrap_or_default();
                        let id = attribute(element, "id").unwrap_or_default();
                        let target = targets.iter().find(|(own, _)| *own == id);
                        // Sheets that are figures have another place.
                        if let Some((_, part)) = target.filter(|(_, p)| p.contains("worksheets/")) {
                            sheets.push((name, part.clone()));
                        }
                    }
                    "workbookPr" => {
                        let date = attribute(element, "date1904").unwrap_or_default();
                        is_1904 = date == "1" || date == "true";
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
        (book.sheets, book.is_1904) = (sheets, is_1904);
        Ok(book)
    }

    /// Returns the text of a part; `None` where there is none of this name.
    pub fn part(&mut self, name: &str) -> Result<Option<String>> {
        let path = self.path;
        let Some(index) = self.archive.index_for_name(name) else {
            return Ok(None);
        };
        let most = limit() / MEMORY_OF_TEXT;
        let entry = self.archive.by_index(index).map_err(|e| damaged(path, e))?;
        // The size that the archive states may be false.
        let mut bytes = vec![];
        entry
            .take(most as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| damaged(path, e))?;
        if bytes.len() > most {
            return Err(data_error(
                path,
                None,
                None,
                format!(
                    "its part {name} unpacks to more than {}: keep a part of it",
                    format_bytes(most)
                ),
            ));
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| damaged(path, format!("{name} is not UTF-8 text")))
    }

    /// Returns the parts that the workbook names, by their identifiers.
    fn relations(&mut self) -> Result<Vec<(String, String)>> {
        let xml = self.part("xl/_rels/workbook.xml.rels")?.unwrap_or_default();
        let mut targets = vec![];
        visit_events(self.path, &xml, |event| {
            if let Event::Start(element) = &event
                && let (Some(id), Some(target)) =
                    (attribute(element, "Id"), attribute(element, "Target"))
            {
                let part = match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_string(),
                    None => format!("xl/{target}"),
                };
                targets.push((id, part));
            }
            Ok(())
        })?;
        Ok(targets)
    }

    /// Returns the texts that cells share.
    pub fn shared_strings(&mut self) -> Result<Vec<String>> {
        let xml = self.part("xl/sharedStrings.xml")?.unwrap_or_default();
        let (mut strings, mut text) = (vec![], String::new());
        let (mut is_text, mut phonetic) = (false, false);
        visit_events(self.path, &xml, |event| {
            match &event {
                Event::Start(element) => match element.local_name().as_ref() {
                    "t" => is_text = !phonetic,
                    "rPh" => phonetic = true,
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    "t" => is_text = false,
                    "rPh" => phonetic = false,
                    "si" => strings.push(std::mem::take(&mut text)),
                    _ => {}
                },
                _ if is_text => push_text(&event, &mut text),
                _ => {}
            }
            Ok(())
        })?;
        Ok(strings)
    }

    /// Returns how the cells of each style show their numbers.
    pub fn number_styles(&mut self) -> Result<Vec<NumberStyle>> {
        let xml = self.part("xl/styles.xml")?.unwrap_or_default();
        let (mut own, mut styles, mut in_cells) = (vec![], vec![], false);
        visit_events(self.path, &xml, |event| {
            match &event {
                Event::Start(element) => match element.local_name().as_ref() {
                    "numFmt" => {
                        let id = attribute(element, "numFmtId").unwrap_or_default();
                        let code = attribute(element, "formatCode").unwrap_or_default();
                        own.push((id, NumberStyle::of_code(&code)));
                    }
                    "cellXfs" => in_cells = true,
                    "xf" if in_cells => {
                        let id = attribute(element, "numFmtId").unwrap_or_default();
                        let given = own.iter().find(|(own, _)| *own == id);
                        styles.push(match given {
                            Some((_, style)) => *style,
                            None => NumberStyle::of_number(id.parse().unwrap_or(0)),
                        });
                    }
                    _ => {}
                },
                Event::End(element) if element.local_name().as_ref() == "cellXfs" => {
                    in_cells = false;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(styles)
    }
}
