//! A page of HTML: one file that needs no other one and no network. All text is escaped.

use std::fmt::Write;

use odesync_base::text::escape_html;

/// A page under construction.
pub(super) struct Page {
    title: String,
    body: String,
}

impl Page {
    /// Begins a page with this title.
    pub fn new(title: &str) -> Self {
        let title = escape_html(title);
        Page {
            body: format!("<h1>{title}</h1>\n"),
            title,
        }
    }

    fn element(&mut self, name: &str, text: &str) -> &mut Self {
        let _ = writeln!(self.body, "<{name}>{}</{name}>", escape_html(text));
        self
    }

    /// Adds the heading of a section.
    pub fn heading(&mut self, text: &str) -> &mut Self {
        self.element("h2", text)
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: &str) -> &mut Self {
        self.element("p", text)
    }

    /// Adds text with its line breaks as they are: code, equations.
    pub fn preformatted(&mut self, text: &str) -> &mut Self {
        self.element("pre", text)
    }

    /// Adds preformatted text under a summary, which opens it.
    pub fn details(&mut self, summary: &str, text: &str) -> &mut Self {
        let (summary, text) = (escape_html(summary), escape_html(text));
        let _ = writeln!(
            self.body,
            "<details><summary>{summary}</summary><pre>{text}</pre></details>"
        );
        self
    }

    /// Adds sentences as a list.
    pub fn list(&mut self, items: &[String]) -> &mut Self {
        let items = items
            .iter()
            .map(|item| format!("<li>{}</li>\n", escape_html(item)));
        let _ = writeln!(self.body, "<ul>\n{}</ul>", items.collect::<String>());
        self
    }

    /// Adds a table; `head` may be empty.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) -> &mut Self {
        let row = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.map(|cell| format!("<{tag}>{}</{tag}>", escape_html(cell)));
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let head = match head.is_empty() {
            true => String::new(),
            false => format!(
                "<thead>\n{}</thead>\n",
                row("th", &mut head.iter().copied())
            ),
        };
        let rows = rows
            .iter()
            .map(|cells| row("td", &mut cells.iter().map(String::as_str)));
        let _ = writeln!(
            self.body,
            "<div class=\"table\"><table>\n{head}<tbody>\n{}</tbody>\n</table></div>",
            rows.collect::<String>()
        );
        self
    }

    /// Adds a figure: an image of odesync's own in SVG.
    pub fn figure(&mut self, svg: &str) -> &mut Self {
        // Within a page an image stands without the XML declaration.
        let image = svg.find("<svg").map_or(svg, |at| &svg[at..]);
        let _ = writeln!(self.body, "<figure>{image}</figure>");
        self
    }

    /// Returns the page.
    pub fn to_html(&self) -> String {
        let Page { title, body } = self;
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
        )
    }
}

const STYLE: &str = "\
body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\
pre{background:#f5f5f5;padding:.8rem;overflow-x:auto;font-size:.85rem}\
.table{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #ddd;vertical-align:top}\
figure{margin:1rem 0}figure svg{max-width:100%;height:auto;background:#fff}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}pre{background:#2a2a2a}th,td{border-color:#444}\
figure svg{filter:invert(.88) hue-rotate(180deg)}}\
@media print{body{max-width:none;margin:0;color:#000;background:#fff}pre{white-space:pre-wrap;background:none;border:1px solid #ccc}\
figure,table,pre{break-inside:avoid}h2{break-after:avoid}figure svg{filter:none}details>pre{display:block}}";

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn text_of_files_is_escaped_and_nothing_is_fetched() {
        let evil = "<script src=\"https://example.org/x.js\">&'";
        let mut page = Page::new(evil);
        page.heading(evil)
            .paragraph(evil)
            .preformatted(evil)
            .details(evil, evil);
        page.list(&[evil.into()])
            .table(&[evil], &[vec![evil.into()]]);
        let html = page.to_html();
        assert!(!html.contains("<script"));
        assert_eq!(
            html.matches("&lt;script src=&quot;https://example.org/x.js&quot;&gt;&amp;&#39;")
                .count(),
            10
        );
        assert!(html.contains("default-src 'none'"));
    }
}
