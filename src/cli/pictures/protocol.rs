//! Which way of showing pictures a terminal has.

use crate::Result;
use crate::error::unknown;

/// The variable that says it in place of the terminal.
pub(super) const VARIABLE: &str = "ODESYNC_GRAPHICS";

/// A way of showing figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// kitty's graphics protocol: kitty, Ghostty, Konsole.
    Kitty,
    /// iTerm2's inline images: iTerm2, WezTerm, mintty.
    Iterm2,
    /// DEC's sixels: foot, mlterm, contour, xterm where it was built with them.
    Sixel,
    /// A plot of characters.
    Text,
    /// A line that says how to save the figure.
    None,
}

impl Protocol {
    /// By the variable `ODESYNC_GRAPHICS`, else by what terminals say of themselves. Within tmux and screen pictures don't reach the
    /// terminal.
    ///
    /// # Errors
    /// Another value of the variable than the known ones.
    pub fn detect(get: impl Fn(&str) -> Option<String>, terminal: bool) -> Result<Self> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        if let Some(value) = get(VARIABLE) {
            return Self::by_name(&value);
        }
        Ok(Self::of_terminal(get, terminal))
    }

    /// As the variable names them.
    fn by_name(name: &str) -> Result<Self> {
        match name.to_lowercase().as_str() {
            "kitty" => Ok(Protocol::Kitty),
            "iterm2" | "iterm" => Ok(Protocol::Iterm2),
            "sixel" => Ok(Protocol::Sixel),
            "text" => Ok(Protocol::Text),
            "none" => Ok(Protocol::None),
            _ => Err(unknown(
                &format!("value of {VARIABLE}"),
                name,
                ["kitty", "iterm2", "sixel", "text", "none"],
            )),
        }
    }

    fn of_terminal(get: impl Fn(&str) -> Option<String>, terminal: bool) -> Self {
        let has = |name: &str| get(name).is_some();
        let term = get("TERM").unwrap_or_default();
        let program = get("TERM_PROGRAM").unwrap_or_default();
        let within = has("TMUX") || term.starts_with("tmux") || term.starts_with("screen");
        if !terminal || within || term == "dumb" {
            return Protocol::Text;
        }
        if matches!(program.as_str(), "iTerm.app" | "WezTerm" | "mintty")
            || get("LC_TERMINAL").as_deref() == Some("iTerm2")
        {
            return Protocol::Iterm2;
        }
        let version = get("KONSOLE_VERSION").and_then(|v| v.parse::<u32>().ok());
        if has("KITTY_WINDOW_ID")
            || matches!(term.as_str(), "xterm-kitty" | "xterm-ghostty")
            || program == "ghostty"
            || version.is_some_and(|version| version >= 220_400)
        {
            return Protocol::Kitty;
        }
        let sixel = ["foot", "mlterm", "contour", "yaft"];
        if term.contains("sixel") || sixel.iter().any(|name| term.starts_with(name)) {
            return Protocol::Sixel;
        }
        Protocol::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_told_by_their_environment() {
        let of = |set: &[(&str, &str)], terminal: bool| {
            let get = |name: &str| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| value.to_string())
            };
            Protocol::detect(get, terminal).unwrap()
        };
        assert_eq!(of(&[("TERM", "xterm-kitty")], true), Protocol::Kitty);
        assert_eq!(
            of(
                &[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")],
                true
            ),
            Protocol::Kitty
        );
        assert_eq!(of(&[("TERM_PROGRAM", "ghostty")], true), Protocol::Kitty);
        assert_eq!(of(&[("KONSOLE_VERSION", "230800")], true), Protocol::Kitty);
        assert_eq!(of(&[("KONSOLE_VERSION", "211200")], true), Protocol::Text);
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app")], true), Protocol::Iterm2);
        assert_eq!(of(&[("TERM_PROGRAM", "WezTerm")], true), Protocol::Iterm2);
        assert_eq!(of(&[("TERM", "foot")], true), Protocol::Sixel);
        assert_eq!(of(&[("TERM", "xterm-256color")], true), Protocol::Text);
        assert_eq!(of(&[("TERM", "xterm-kitty")], false), Protocol::Text);
        assert_eq!(
            of(&[("TERM", "screen"), ("KITTY_WINDOW_ID", "1")], true),
            Protocol::Text
        );
        assert_eq!(
            of(&[("TERM", "xterm-kitty"), (VARIABLE, "none")], true),
            Protocol::None
        );
        assert_eq!(
            of(&[("TERM", "dumb"), (VARIABLE, "sixel")], false),
            Protocol::Sixel
        );
        let wrong = Protocol::detect(|name| (name == VARIABLE).then(|| "kity".into()), true);
        let text = wrong.unwrap_err().to_string();
        assert!(
            ["ODESYNC_GRAPHICS", "kity", "did you mean", "sixel", "none"]
                .iter()
                .all(|part| text.contains(part)),
            "{text}"
        );
    }
}
