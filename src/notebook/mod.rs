//! Rust notebooks (evcxr): what a cell shows of a value, `plot`, interrupts, scripts in a cell.
//!
//! A program does not need this module, but can use it; in a notebook [`prelude`](crate::prelude) imports it.
//!
//! | file | contents |
//! |---|---|
//! | `show` | the display of a value that a cell ends with |
//! | `plots` | the default figure of a value |
//! | `interrupt` | Jupyter's interrupt stops a training, which keeps what it has |
//! | `scripts` | the script language in a cell |
//! | `cell_state` | state that one cell passes to the next |

mod cell_state;
mod interrupt;
mod plots;
mod scripts;
mod show;

pub use interrupt::InterruptGuard;
pub use plots::Plot;
pub use scripts::{eval, script_session};
pub use show::NotebookDisplay;
