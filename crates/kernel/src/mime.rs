//! Values as MIME bundles: each as text and, where it has one, as HTML, SVG and LaTeX.

use odesync_base::text::{escape_html, truncate};
use odesync_script::cards;
use odesync_script::script::DisplayedValue;
use serde_json::{Map, Value, json};

/// A MIME bundle: the data by type, and their metadata.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bundle {
    pub data: Map<String, Value>,
    pub metadata: Map<String, Value>,
}

impl Bundle {
    /// Makes a bundle of text alone.
    pub fn text(text: &str) -> Self {
        let mut bundle = Self {
            data: Map::new(),
            metadata: Map::new(),
        };
        bundle.insert("text/plain", text.into());
        bundle
    }

    /// Adds the data of a type.
    pub fn insert(&mut self, mime: &str, data: Value) {
        self.data.insert(mime.into(), data);
    }

    /// Returns the content of a message that shows the bundle.
    pub fn content(&self) -> Value {
        json!({ "data": self.data, "metadata": self.metadata, "transient": {} })
    }

    /// Returns the content of a message that shows the bundle, or that shows it in place of what has this name.
    pub fn content_named(&self, display_id: &str) -> Value {
        json!({ "data": self.data, "metadata": self.metadata, "transient": { "display_id": display_id } })
    }
}

/// Returns the bundle of a value.
pub(crate) fn bundle(value: &DisplayedValue) -> Bundle {
    match value {
        DisplayedValue::Text(text) => Bundle::text(&truncate(text)),
        DisplayedValue::Card { text, card } => {
            let mut bundle = Bundle::text(&truncate(text));
            bundle.insert("text/html", card.html().into());
            if let Some(latex) = card.as_latex() {
                bundle.insert("text/latex", format!("$$\n{latex}\n$$").into());
            }
            bundle
        }
        DisplayedValue::Figure(figure) => match figure.to_svg() {
            Ok(svg) => {
                let mut bundle = Bundle::text(&figure.summary());
                if let Some(width) = width(&svg) {
                    let metadata = json!({ "width": width });
                    bundle.metadata.insert("image/svg+xml".into(), metadata);
                }
                bundle.insert("image/svg+xml", svg.into());
                bundle
            }
            Err(error) => Bundle::text(&error.to_string()),
        },
    }
}

/// Returns the HTML of a value, for a widget.
pub(crate) fn html(value: &DisplayedValue) -> String {
    match value {
        DisplayedValue::Text(text) => pre(&truncate(text)),
        DisplayedValue::Card { card, .. } => card.html(),
        DisplayedValue::Figure(figure) => match cards::figure_html(figure) {
            Ok(html) => html,
            Err(error) => pre(&error.to_string()),
        },
    }
}

/// Returns text as HTML that keeps its lines.
pub(crate) fn pre(text: &str) -> String {
    format!("<pre>{}</pre>", escape_html(text))
}

/// Appends a line to HTML, to the text that it ends with where it does.
pub(crate) fn push_line(html: &mut String, line: &str) {
    match html.strip_suffix("</pre>").map(str::len) {
        Some(end) => {
            html.truncate(end);
            html.push_str(&format!("\n{}</pre>", escape_html(line)));
        }
        None => html.push_str(&pre(line)),
    }
}

/// Returns the width of an SVG image in pixels.
fn width(svg: &str) -> Option<u32> {
    let (_, rest) = svg.split_once("<svg")?;
    let (tag, _) = rest.split_once('>')?;
    let (_, value) = tag.split_once(" width=\"")?;
    value.split_once('"')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use odesync_script::cards::Card;

    #[test]
    fn a_card_is_html_beside_its_text() {
        let card = Card::new("a < b").latex("x^2");
        let shown = bundle(&DisplayedValue::Card {
            text: "a".into(),
            card: Box::new(card),
        });
        assert_eq!(shown.data["text/plain"], "a");
        assert!(
            shown.data["text/html"]
                .as_str()
                .unwrap()
                .contains("a &lt; b")
        );
        assert_eq!(shown.data["text/latex"], "$$\nx^2\n$$");
    }

    #[test]
    fn the_width_is_that_of_the_outermost_element() {
        assert_eq!(
            width("<?xml?><svg x=\"1\" width=\"640\" height=\"2\"><rect width=\"1\"/></svg>"),
            Some(640)
        );
        assert_eq!(width("<svg><rect width=\"1\"/></svg>"), None);
        assert_eq!(width(""), None);
    }
}
