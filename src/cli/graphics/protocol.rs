//! Detection of the terminal's graphics protocol.

use crate::Result;
use crate::error::unknown;

/// The environment variable that overrides the detection.
pub(super) const ENV_VAR: &str = "ODESYNC_GRAPHICS";

/// A protocol for showing figures in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GraphicsProtocol {
    /// kitty's graphics protocol: kitty, Ghostty, Konsole.
    Kitty,
    /// iTerm2's inline images: iTerm2, WezTerm, mintty.
    Iterm2,
    /// DEC's sixels: foot, mlterm, contour, and xterm built with sixels.
    Sixel,
    /// A plot of characters.
    Text,
    /// No figure, only a line that says how to save it.
    None,
}

impl GraphicsProtocol {
    /// Detects the protocol: from the variable `ODESYNC_GRAPHICS`, otherwise from the variables that terminals set. Within tmux
    /// and screen images don't reach the terminal.
    ///
    /// # Errors
    /// An unknown value of the variable.
    pub fn detect(get: impl Fn(&str) -> Option<String>, terminal: bool) -> Result<Self> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        if let Some(value) = get(ENV_VAR) {
            return Self::from_name(&value);
        }
        Ok(Self::from_terminal(get, terminal))
    }

    /// Parses the value of the variable.
    fn from_name(name: &str) -> Result<Self> {
        match name.to_lowercase().as_str() {
            "kitty" => Ok(GraphicsProtocol::Kitty),
            "iterm2" | "iterm" => Ok(GraphicsProtocol::Iterm2),
            "sixel" => Ok(GraphicsProtocol::Sixel),
            "text" => Ok(GraphicsProtocol::Text),
            "none" => Ok(GraphicsProtocol::None),
            _ => Err(unknown(
                &format!("value of {ENV_VAR}"),
                name,
                ["kitty", "iterm2", "sixel", "text", "none"],
            )),
        }
    }

    fn from_terminal(get: impl Fn(&str) -> Option<String>, terminal: bool) -> Self {
        let has = |name: &str| get(name).is_some();
        let term = get("TERM").unwrap_or_default();
        let program = get("TERM_PROGRAM").unwrap_or_default();
        let within = has("TMUX") || term.starts_with("tmux") || term.starts_with("screen");
        if !terminal || within || term == "dumb" {
            return GraphicsProtocol::Text;
        }
        if matches!(program.as_str(), "iTerm.app" | "WezTerm" | "mintty")
            || get("LC_TERMINAL").as_deref() == Some("iTerm2")
        {
            return GraphicsProtocol::Iterm2;
        }
        let version = get("KONSOLE_VERSION").and_then(|v| v.parse::<u32>().ok());
        if has("KITTY_WINDOW_ID")
            || matches!(term.as_str(), "xterm-kitty" | "xterm-ghostty")
            || program == "ghostty"
            || version.is_some_and(|version| version >= 220_400)
        {
            return GraphicsProtocol::Kitty;
        }
        let sixel = ["foot", "mlterm", "contour", "yaft"];
        if term.contains("sixel") || sixel.iter().any(|name| term.starts_with(name)) {
            return GraphicsProtocol::Sixel;
        }
        GraphicsProtocol::Text
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
            GraphicsProtocol::detect(get, terminal).unwrap()
        };
        assert_eq!(
            of(&[("TERM", "xterm-kitty")], true),
            GraphicsProtocol::Kitty
        );
        assert_eq!(
            of(
                &[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")],
                true
            ),
            GraphicsProtocol::Kitty
        );
        assert_eq!(
            of(&[("TERM_PROGRAM", "ghostty")], true),
            GraphicsProtocol::Kitty
        );
        assert_eq!(
            of(&[("KONSOLE_VERSION", "230800")], true),
            GraphicsProtocol::Kitty
        );
        assert_eq!(
            of(&[("KONSOLE_VERSION", "211200")], true),
            GraphicsProtocol::Text
        );
        assert_eq!(
            of(&[("TERM_PROGRAM", "iTerm.app")], true),
            GraphicsProtocol::Iterm2
        );
        assert_eq!(
            of(&[("TERM_PROGRAM", "WezTerm")], true),
            GraphicsProtocol::Iterm2
        );
        assert_eq!(of(&[("TERM", "foot")], true), GraphicsProtocol::Sixel);
        assert_eq!(
            of(&[("TERM", "xterm-256color")], true),
            GraphicsProtocol::Text
        );
        assert_eq!(
            of(&[("TERM", "xterm-kitty")], false),
            GraphicsProtocol::Text
        );
        assert_eq!(
            of(&[("TERM", "screen"), ("KITTY_WINDOW_ID", "1")], true),
            GraphicsProtocol::Text
        );
        assert_eq!(
            of(&[("TERM", "xterm-kitty"), (ENV_VAR, "none")], true),
            GraphicsProtocol::None
        );
        assert_eq!(
            of(&[("TERM", "dumb"), (ENV_VAR, "sixel")], false),
            GraphicsProtocol::Sixel
        );
        let wrong = GraphicsProtocol::detect(|name| (name == ENV_VAR).then(|| "kity".into()), true);
        let text = wrong.unwrap_err().to_string();
        assert!(
            ["ODESYNC_GRAPHICS", "kity", "did you mean", "sixel", "none"]
                .iter()
                .all(|part| text.contains(part)),
            "{text}"
        );
    }
}
