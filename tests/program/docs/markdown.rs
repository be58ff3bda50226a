//! A reader of Markdown pages: fenced blocks, code spans, links.

/// A fenced block of a page.
#[derive(Debug)]
pub struct Block {
    /// Line number of the fence, from 1.
    pub line: usize,
    /// Text after the fence, such as `rhai,fails`.
    pub language: String,
    pub text: String,
    /// Comment on the line before the fence, `<!-- … -->`.
    pub note: Option<String>,
    /// Heading above the block.
    pub heading: String,
}

pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = vec![];
    let mut open: Option<Block> = None;
    let (mut before, mut heading) = ("", "");
    for (i, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let note = before.strip_prefix("<!-- ");
                let note = note.and_then(|n| n.strip_suffix(" -->"));
                open = Some(Block {
                    line: i + 1,
                    language: language.trim().into(),
                    text: String::new(),
                    note: note.map(String::from),
                    heading: heading.into(),
                });
            }
            (None, None) if line.starts_with('#') => heading = line,
            (None, None) => {}
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text.push_str(&format!("{line}\n")),
        }
        before = line;
    }
    assert!(open.is_none(), "a fence is not closed: {open:?}");
    blocks
}

/// Returns the lines of text, which are not in a fenced block.
fn prose(markdown: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    markdown.lines().filter(move |line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// Returns the code spans of the text, between backquotes.
pub fn spans(markdown: &str) -> Vec<String> {
    prose(markdown)
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(String::from)
        .collect()
}

/// Returns the targets of links and images in the text, `](target)`.
pub fn links(markdown: &str) -> Vec<String> {
    prose(markdown)
        .flat_map(|line| line.split('`').step_by(2))
        .flat_map(|text| text.split("](").skip(1))
        .map(|rest| {
            let end = rest.find(')');
            let end = end.unwrap_or_else(|| panic!("a link is not closed: {rest}"));
            rest[..end].to_string()
        })
        .collect()
}

/// Returns the anchors of a page's headings, as GitHub and mdBook generate them.
pub fn anchors(markdown: &str) -> Vec<String> {
    prose(markdown)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let kept = line.trim_start_matches('#').trim().chars();
            kept.filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| {
                    if c == ' ' {
                        '-'
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect()
        })
        .collect()
}

#[test]
fn links_and_blocks_are_found() {
    let page = "# A `b`, c\n[x](y.md#z) `[no](no)`\n<!-- run with: a=1 -->\n```rhai\n[1](2)\n```\n![p](i.png)\n";
    assert_eq!(links(page), ["y.md#z", "i.png"]);
    assert_eq!(spans(page), ["b", "[no](no)"]);
    assert_eq!(anchors(page), ["a-b-c"]);
    let all = blocks(page);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].line, all[0].language.as_str()), (4, "rhai"));
    assert_eq!(all[0].note.as_deref(), Some("run with: a=1"));
    assert_eq!(all[0].heading, "# A `b`, c");
}
