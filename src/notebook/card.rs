//! The description of a value for display: a title, lines of name and value, a table, and preformatted text.

use std::fmt::Write;

use odesync_base::text::escape_html;

/// The description of a value, which can be shown as text and as HTML.
#[derive(Debug, Clone, Default)]
pub(super) struct Card {
    title: String,
    lines: Vec<(String, String)>,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    body: String,
}

impl Card {
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
        if !self.body.is_empty() {
            let _ = write!(html, "<pre>{}</pre>", escape_html(self.body.trim_end()));
        }
        html.push_str("</div>");
        // evcxr reads the content line by line; elsewhere an empty line would end Markdown's HTML block.
        html
    }

    /// Writes the card to standard output with the markers by which evcxr recognizes content.
    pub fn show(&self) {
        println!(
            "EVCXR_BEGIN_CONTENT text/plain\n{}\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT",
            self.text(),
            self.html()
        );
    }
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
