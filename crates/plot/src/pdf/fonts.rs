//! Embedded fonts: of each font the glyphs that the page shows, with the characters that they stand for, so that text can be searched
//! and copied.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use ttf_parser::Face;

use super::super::font::Glyph;
use super::deflate;

const SYSTEM_INFO: SystemInfo = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// The glyphs of a font that a page shows.
#[derive(Default)]
pub(super) struct PdfFont {
    /// The numbers of the glyphs in the embedded part of the font.
    numbers: GlyphRemapper,
    /// The character of each glyph, by its number there.
    characters: BTreeMap<u16, char>,
    is_used: bool,
}

impl PdfFont {
    pub fn is_empty(&self) -> bool {
        !self.is_used
    }

    /// Writes glyphs of this font that follow each other in `text`. Where they stand closer than they are wide, as pairs that are
    /// kerned, each is placed.
    pub fn show(&mut self, glyphs: &[Glyph], text: &str, content: &mut Content) {
        self.is_used = true;
        let mut shown = content.show_positioned();
        let mut items = shown.items();
        let mut pending: Vec<u8> = Vec::new();
        let mut expected = glyphs.first().map_or(0.0, |glyph| glyph.start);
        for glyph in glyphs {
            let kern = glyph.start - expected;
            if kern.abs() > 1e-6 {
                items.show(Str(&pending));
                pending.clear();
                // In thousandths of an em, to the left.
                items.adjust((-1000.0 * kern).round() as f32);
            }
            let number = self.numbers.remap(glyph.id.0);
            let character = text.get(glyph.bytes.clone()).and_then(|s| s.chars().next());
            // The box for what is missing stands for no character.
            if let Some(c) = character.filter(|_| glyph.id.0 != 0) {
                self.characters.entry(number).or_insert(c);
            }
            pending.extend(number.to_be_bytes());
            expected = glyph.start + glyph.advance;
        }
        items.show(Str(&pending));
    }

    /// Writes the font with its glyphs; returns its object.
    pub fn embed(
        &self,
        file: &[u8],
        pdf: &mut Pdf,
        allocate: &mut impl FnMut() -> Ref,
    ) -> Result<Ref, String> {
        let face = Face::parse(file, 0).map_err(|e| e.to_string())?;
        let part = subsetter::subset(file, 0, &self.numbers).map_err(|e| e.to_string())?;
        // Of a font with PostScript outlines a PDF takes the table of the outlines alone.
        let outlines = ttf_parser::RawFace::parse(&part, 0)
            .ok()
            .and_then(|raw| raw.table(ttf_parser::Tag::from_bytes(b"CFF ")));
        let (kind, data) = match outlines {
            Some(table) => (CidFontType::Type0, table),
            None => (CidFontType::Type2, part.as_slice()),
        };
        let name = self.name(&face);
        let name = Name(name.as_bytes());
        let thousandths = |units: f64| (1000.0 * units / f64::from(face.units_per_em())) as f32;
        let [font, cid_font, descriptor, stream, cmap] = std::array::from_fn(|_| allocate());

        let mut type0 = pdf.type0_font(font);
        type0
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"));
        type0.descendant_font(cid_font).to_unicode(cmap);
        type0.finish();

        let mut cid = pdf.cid_font(cid_font);
        cid.subtype(kind).base_font(name).system_info(SYSTEM_INFO);
        cid.font_descriptor(descriptor).default_width(0.0);
        if matches!(kind, CidFontType::Type2) {
            cid.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let widths = self.numbers.remapped_gids().map(|old| {
            let advance = face.glyph_hor_advance(ttf_parser::GlyphId(old));
            thousandths(f64::from(advance.unwrap_or(0)))
        });
        cid.widths().consecutive(0, widths);
        cid.finish();

        let bounds = face.global_bounding_box();
        let corner = |v: i16| thousandths(f64::from(v));
        let mut described = pdf.font_descriptor(descriptor);
        described.name(name).flags(FontFlags::SYMBOLIC);
        described.bbox(Rect::new(
            corner(bounds.x_min),
            corner(bounds.y_min),
            corner(bounds.x_max),
            corner(bounds.y_max),
        ));
        described.italic_angle(0.0).stem_v(80.0);
        described
            .ascent(corner(face.ascender()))
            .descent(corner(face.descender()))
            .cap_height(corner(face.capital_height().unwrap_or(face.ascender())));
        match kind {
            CidFontType::Type0 => described.font_file3(stream),
            CidFontType::Type2 => described.font_file2(stream),
        };
        described.finish();

        let packed = deflate(data);
        let mut font_stream = pdf.stream(stream, &packed);
        font_stream.filter(Filter::FlateDecode);
        match kind {
            CidFontType::Type0 => font_stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C")),
            CidFontType::Type2 => {
                let length = i32::try_from(data.len()).map_err(|e| e.to_string())?;
                font_stream.pair(Name(b"Length1"), length)
            }
        };
        font_stream.finish();

        let mut characters = UnicodeCmap::new(Name(b"Custom"), SYSTEM_INFO);
        for (number, c) in &self.characters {
            characters.pair(*number, *c);
        }
        let packed = deflate(characters.finish().as_slice());
        let mut stream = pdf.cmap(cmap, &packed);
        stream.filter(Filter::FlateDecode);
        stream.name(Name(b"Custom")).system_info(SYSTEM_INFO);
        stream.finish();
        Ok(font)
    }

    /// Returns the name of the font, with six letters before it that say which part of it is embedded.
    fn name(&self, face: &Face) -> String {
        let own = face
            .names()
            .into_iter()
            .filter(|name| name.name_id == ttf_parser::name_id::POST_SCRIPT_NAME)
            .find_map(|name| name.to_string())
            .unwrap_or_else(|| "Font".to_owned());
        // A hash of Fowler, Noll and Vo.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in self.numbers.remapped_gids().flat_map(u16::to_be_bytes) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let letters: String = (0..6)
            .map(|i| char::from(b'A' + (hash >> (8 * i)) as u8 % 26))
            .collect();
        let own: String = own.chars().filter(char::is_ascii_graphic).collect();
        format!("{letters}+{own}")
    }
}
