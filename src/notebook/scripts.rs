//! Scripts in a notebook's cell: a session whose output is the notebook.

use std::io;

use crate::plotting::Panel;
use crate::script::{
    DisplayedValue, EvalResult, Frontend, Output, ScriptError, Session, SessionOptions,
};

use super::show::show_card;
use super::{InterruptGuard, NotebookDisplay};
use odesync_script::cards::Card;

/// The front end of a session in a notebook, which reads all output from standard output.
struct NotebookFrontend;

impl Frontend for NotebookFrontend {
    fn print(&self, text: &str) -> io::Result<()> {
        println!("{text}");
        Ok(())
    }

    fn note(&self, text: &str) {
        println!("{text}");
    }

    fn display(&self, display: &DisplayedValue) -> io::Result<()> {
        match display {
            DisplayedValue::Text(text) => println!("{text}"),
            DisplayedValue::Card { card, .. } => show_card(card),
            DisplayedValue::Figure(figure) => figure.evcxr_display(),
        }
        Ok(())
    }
}

/// Creates a session of the script language whose output is the notebook.
///
/// ```
/// use odesync::prelude::*;
///
/// let mut session = script_session()?;
/// let field = lotka_volterra()?;
/// rhai!(session, field, r#"let data = dataset(field, [1, 1], arange(0.0, 5.0, 0.1));"#)?;
/// let data: Dataset = session.get("data")?;
/// assert_eq!(data.len(), 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`Session::new`].
pub fn script_session() -> Result<Session, ScriptError> {
    Session::new(SessionOptions {
        interactive: true,
        output: Output::new(NotebookFrontend),
        ..SessionOptions::default()
    })
}

/// Evaluates a script in a session; an interrupt of the notebook stops it, and a training in it keeps what it has. This is what
/// [`rhai!`](crate::rhai) does.
///
/// # Errors
/// The error with which the script ends.
pub fn eval(session: &mut Session, code: &str) -> Result<EvalResult, ScriptError> {
    let interrupt = session.interrupt();
    let _guard = InterruptGuard::new(interrupt.flag());
    session.eval(code, None)
}

/// Evaluates a script in a session: `rhai!(session, r#"…"#)`, or `rhai!(session, a, b, r#"…"#)` with copies of the Rust variables
/// a and b as the script's. The value can be shown by a notebook; a variable of the script comes back by [`Session::get`].
///
/// ```
/// use odesync::prelude::*;
///
/// let mut session = script_session()?;
/// let x = vec![1.0, 2.0];
/// assert_eq!(rhai!(session, x, r#"sum(2 * x)"#)?.text, "6.0");
/// # Ok::<(), odesync::script::ScriptError>(())
/// ```
#[macro_export]
macro_rules! rhai {
    ($session:expr, $code:literal) => {
        $crate::notebook::eval(&mut $session, $code)
    };
    ($session:expr, $($variable:ident),+ , $code:literal) => {
        (|| -> ::std::result::Result<_, $crate::script::ScriptError> {
            $( $session.set(stringify!($variable), $variable.clone())?; )+
            $crate::notebook::eval(&mut $session, $code)
        })()
    };
}

impl NotebookDisplay for EvalResult {
    fn evcxr_display(&self) {
        match self.display() {
            Some(DisplayedValue::Figure(figure)) => Panel::evcxr_display(&figure),
            Some(DisplayedValue::Card { card, .. }) => show_card(&card),
            Some(DisplayedValue::Text(text)) => {
                let mut lines = text.splitn(2, '\n');
                let card = Card::new(lines.next().unwrap_or_default());
                show_card(&card.body(lines.next().unwrap_or_default()));
            }
            None => {}
        }
    }
}
