//! The handling of Jupyter's interrupt, which reaches the process that runs the cells as SIGINT.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use odesync_base::notebook::is_notebook;

type Flag = Arc<AtomicBool>;

/// The stop flags of all running computations.
static RUNNING_FLAGS: Mutex<Vec<Flag>> = Mutex::new(Vec::new());

fn running_flags() -> MutexGuard<'static, Vec<Flag>> {
    RUNNING_FLAGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A guard during whose lifetime an interrupt raises its flag.
#[derive(Debug)]
pub struct InterruptGuard(Option<Flag>);

impl InterruptGuard {
    /// Creates a guard: in a notebook, an interrupt raises `flag` from now on. Elsewhere Ctrl-C ends the program as usual.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use odesync::notebook::InterruptGuard;
    ///
    /// let flag = Arc::default();
    /// let _guard = InterruptGuard::new(&flag);
    /// // … check the flag regularly
    /// ```
    pub fn new(flag: &Flag) -> Self {
        if !is_notebook() {
            return Self(None);
        }
        install_handler();
        running_flags().push(Arc::clone(flag));
        Self(Some(Arc::clone(flag)))
    }
}

impl Drop for InterruptGuard {
    fn drop(&mut self) {
        if let Some(own) = &self.0 {
            running_flags().retain(|flag| !Arc::ptr_eq(flag, own));
        }
    }
}

fn install_handler() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without a handler, the kernel's launcher ends the process.
        if let Err(error) = ctrlc::set_handler(|| println!("{}", raise_all(&running_flags()))) {
            println!("note: an interrupt can't be caught: {error}");
        }
    });
}

/// Raises the flags, and returns a message about the consequence.
fn raise_all(flags: &[Flag]) -> &'static str {
    for flag in flags {
        flag.store(true, Ordering::Relaxed);
    }
    match flags.is_empty() {
        true => {
            "interrupt: nothing that can stop by itself is running; once more ends the cell, and the variables are lost"
        }
        false => {
            "interrupt: stopping, and keeping what there is; once more ends the cell at once, and the variables are lost"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_raised_and_the_words_say_what_is_lost() {
        let flags: Vec<Flag> = vec![Arc::default(), Arc::default()];
        assert!(raise_all(&flags).contains("keeping what there is"));
        assert!(flags.iter().all(|flag| flag.load(Ordering::Relaxed)));
        assert!(raise_all(&[]).contains("the variables are lost"));
    }

    #[test]
    fn outside_a_notebook_nothing_is_caught() {
        let flag = Flag::default();
        let guard = InterruptGuard::new(&flag);
        assert!(guard.0.is_none() && running_flags().is_empty());
    }
}
