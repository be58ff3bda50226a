//! Rust notebooks (evcxr): what a cell shows of a value, `plot`, interrupts, scripts in a cell.
//!
//! Nothing here is needed in a program, and everything works there; in a notebook [`prelude`](crate::prelude) brings it in.
//!
//! | file | idea |
//! |---|---|
//! | `show`, `card` | what is shown of a value that a cell ends with |
//! | `plots` | the right picture of a value |
//! | `interrupt` | Jupyter's interrupt stops a training, which keeps what it has |
//! | `scripts` | the script language in a cell |
//! | `cells` | what one cell hands on to the next |

mod card;
mod cell_state;
mod interrupt;
mod plots;
mod scripts;
mod show;

pub use interrupt::InterruptGuard;
pub use plots::Plot;
pub use scripts::{eval, script_session};
pub use show::NotebookDisplay;
