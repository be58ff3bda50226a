//! The output methods of figures, grids and panels.

use super::figure::Figure;
use super::grid::{Grid, Panel};
use super::{notes, output, text};
use odesync_base::error::Result;

macro_rules! impl_render {
    ($type:ty) => {
        impl $type {
            /// Returns the figure as SVG.
            ///
            /// # Errors
            ///
            /// Nothing to draw; the message says why and what to do.
            pub fn to_svg(&self) -> Result<String> {
                output::svg(&self.scene()?)
            }

            /// Returns the figure as the bytes of a PNG file, with `scale` pixels (0.1 to 10; saved files have 2, or as many as
            /// the page's dpi says) per pixel of the figure's size, of which there are 96 per inch.
            ///
            /// # Errors
            ///
            /// Nothing to draw (the message says why and what to do), or another scale.
            pub fn to_png(&self, scale: f64) -> Result<Vec<u8>> {
                output::png(&self.scene()?, scale)
            }

            /// Returns the figure as the bytes of a PDF file of one page, whose text is text in embedded fonts.
            ///
            /// # Errors
            ///
            /// Nothing to draw; the message says why and what to do.
            pub fn to_pdf(&self) -> Result<Vec<u8>> {
                output::pdf(&self.scene()?)
            }

            /// Returns what the figure does not show as it was meant, a sentence each: values that a logarithmic axis leaves
            /// out, characters for which the font has no glyph, commands in formulas that are not known.
            pub fn notes(&self) -> Vec<String> {
                notes::notes(&self.clone().into())
            }

            /// Returns the figure as text in at most about `columns` columns and `rows` rows, for a terminal that shows no
            /// images: lines in braille dots, heat maps and surfaces in half blocks, with axes, title and legend. `colour` uses
            /// the terminal's 256 colours; without it the text has no control sequences.
            ///
            /// # Errors
            ///
            /// Nothing to draw; the message says why and what to do.
            pub fn to_text(&self, columns: usize, rows: usize, colour: bool) -> Result<String> {
                text::render(&self.clone().into(), columns, rows, colour)
            }

            /// Shows the figure in a notebook (evcxr), or the reason why it cannot be drawn.
            pub fn evcxr_display(&self) {
                match self.to_svg() {
                    Ok(svg) => {
                        println!("EVCXR_BEGIN_CONTENT image/svg+xml\n{svg}\nEVCXR_END_CONTENT");
                    }
                    Err(error) => println!("{error}"),
                }
            }

            /// Writes the figure to a file, as SVG, PDF or PNG by its extension. Missing folders are created; the file is
            /// written under a temporary name and renamed.
            ///
            /// # Errors
            ///
            /// Nothing to draw, another extension, or a file or folder that cannot be written.
            pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
                output::save(path.as_ref(), || self.scene())
            }
        }
    };
}
impl_render!(Figure);
impl_render!(Panel);
impl_render!(Grid);
