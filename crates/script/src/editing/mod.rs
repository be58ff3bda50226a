//! Code that is being typed, for every front end: its tokens, completion, documentation at the cursor, whether it is complete.
//!
//! | file | content |
//! |---|---|
//! | `lexer` | [`TokenizedText`]: tokens of code that may be unfinished |
//! | `symbols` | [`SymbolTable`]: the names that a session knows |
//! | `infer`, `cursor_call`, `option_keys` | the type of an expression, the call around the cursor, the keys of its option map |
//! | `complete`, `paths` | [`code_candidates`]: what may stand at the cursor |
//! | `inspect` | [`inspect`]: the documentation of the name at the cursor |

mod complete;
mod cursor_call;
mod infer;
mod inspect;
mod lexer;
mod option_keys;
mod paths;
mod symbols;

pub use complete::{Candidate, code_candidates, filter_by_prefix, first_sentence};
pub use cursor_call::CursorCall;
pub use inspect::{Inspection, inspect};
pub use lexer::{
    BracketKind, LexerState, OpenBracket, Token, TokenKind, TokenizedText, last_statement,
};
pub use paths::path_candidates;
pub use symbols::{BUILTIN_FUNCTIONS, KEYWORDS, MemberSymbol, SymbolTable};
