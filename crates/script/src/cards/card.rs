//! The description of a value for display: a title, lines of name and value, a table, preformatted text, a figure.

use std::fmt::Write;

use base64::Engine;
use odesync_base::text::escape_html;
use odesync_plot::Panel;

use crate::Result;

/// The description of a value, which can be shown as text and as HTML.
#[derive(Debug, Clone, Default)]
pub struct Card {
    title: String,
    lines: Vec<(String, String)>,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    body: String,
    latex: Option<String>,
    figure: Option<Box<Panel>>,
}

impl Card {
    /// Makes a card that has a title only.
    pub fn new(title: impl Into<String>) -> Self {
        Card {
            title: title.into(),
            ..Card::default()
        }
    }

    /// Adds a line of name and value.
    pub fn line(mut self, name: &str, value: impl Into<String>) -> Self {
        self.lines.push((name.into(), value.into()));
        self
    }

    /// Sets a table of numbers.
    pub fn table(mut self, header: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        (self.header, self.rows) = (header, rows);
        self
    }

    /// Sets preformatted text such as equations.
    pub fn body(mut self, text: impl Into<String>) -> Self {
        self.body = text.into();
        self
    }

    /// Sets the value as LaTeX, without dollar signs.
    pub fn latex(mut self, latex: impl Into<String>) -> Self {
        self.latex = Some(latex.into());
        self
    }

    /// Sets a figure, which stands below everything else.
    pub fn figure(mut self, figure: impl Into<Panel>) -> Self {
        self.figure = Some(Box::new(figure.into()));
        self
    }

    /// Returns the value as LaTeX; `None` where it has no such form.
    pub fn as_latex(&self) -> Option<&str> {
        self.latex.as_deref()
    }

    /// Renders the card as text, without its figure.
    pub fn text(&self) -> String {
        let mut text = self.title.clone();
        let wide = self.lines.iter().map(|(name, _)| name.chars().count());
        let wide = wide.max().unwrap_or_default();
        // Writing to a string does not fail.
        for (name, value) in &self.lines {
            let _ = write!(text, "\n  {name:wide$}  {value}");
        }
        for row in std::iter::once(&self.header)
            .chain(&self.rows)
            .filter(|r| !r.is_empty())
        {
            let cells: Vec<String> = row.iter().map(|cell| format!("{cell:>12}")).collect();
            let _ = write!(text, "\n{}", cells.join(" "));
        }
        if !self.body.is_empty() {
            let _ = write!(text, "\n{}", self.body.trim_end());
        }
        text.trim_start_matches('\n').to_string()
    }

    /// Renders the card as HTML, with the figure as an image.
    pub fn html(&self) -> String {
        let mut html = String::from("<div>");
        if !self.title.is_empty() {
            let _ = write!(html, "<strong>{}</strong>", escape_html(&self.title));
        }
        let row = |cells: &[String], tag: &str| -> String {
            let cells: String = cells
                .iter()
                .map(|cell| {
                    format!(
                        "<{tag} style=\"text-align:right\">{}</{tag}>",
                        escape_html(cell)
                    )
                })
                .collect();
            format!("<tr>{cells}</tr>")
        };
        if !self.lines.is_empty() {
            html.push_str("<table style=\"margin-left:0\">");
            for (name, value) in &self.lines {
                let _ = write!(
                    html,
                    "<tr><td style=\"text-align:left\">{}</td><td style=\"text-align:left\">{}</td></tr>",
                    escape_html(name),
                    escape_html(value)
                );
            }
            html.push_str("</table>");
        }
        if !self.rows.is_empty() {
            html.push_str("<table style=\"margin-left:0\">");
            if !self.header.is_empty() {
                html.push_str(&row(&self.header, "th"));
            }
            html.extend(self.rows.iter().map(|cells| row(cells, "td")));
            html.push_str("</table>");
        }
        if let Some(latex) = &self.latex {
            // Between dollar signs, which notebooks typeset in HTML too.
            let _ = write!(html, "<div>$$\n{}\n$$</div>", escape_html(latex));
        }
        if !self.body.is_empty() {
            let _ = write!(html, "<pre>{}</pre>", escape_html(self.body.trim_end()));
        }
        // A figure that cannot be drawn is left out: the card says all the rest.
        if let Some(Ok(image)) = self.figure.as_deref().map(figure_html) {
            html.push_str(&image);
        }
        html.push_str("</div>");
        // evcxr reads the content line by line; elsewhere an empty line would end Markdown's HTML block.
        html
    }
}

/// Renders a figure as HTML: an image that holds its SVG, because elements of several figures in one page may have the same names.
///
/// # Errors
/// Nothing to draw.
pub fn figure_html(figure: &Panel) -> Result<String> {
    let data = base64::engine::general_purpose::STANDARD.encode(figure.to_svg()?);
    Ok(format!(
        "<img style=\"max-width:100%\" src=\"data:image/svg+xml;base64,{data}\"/>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_text_and_html() {
        let card = Card::new("Data")
            .line("a", "1")
            .line("longer", "x < y & z")
            .table(vec!["t".into()], vec![vec!["0.5".into()]])
            .body("du/dt = u\n");
        assert_eq!(
            card.text(),
            "Data\n  a       1\n  longer  x < y & z\n           t\n         0.5\ndu/dt = u"
        );
        let html = card.html();
        assert!(
            html.contains("x &lt; y &amp; z") && html.contains("<pre>du/dt = u</pre>"),
            "{html}"
        );
        assert_eq!(
            html.matches("<table").count(),
            html.matches("</table>").count()
        );
    }
}
