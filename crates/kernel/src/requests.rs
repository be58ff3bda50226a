//! The queue of the requests that wait for the kernel.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::message::Message;

/// The queue of requests: filled by the wire, emptied by the shell.
#[derive(Default)]
pub(crate) struct Requests {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    closed: bool,
}

impl Requests {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request.
    pub fn push(&self, request: Message) {
        self.state().waiting.push_back(request);
        self.changed.notify_all();
    }

    /// Closes the queue: no request is handed out any more.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits for the next request; `None` once the queue is closed.
    pub fn next(&self) -> Option<Message> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(request) = state.waiting.pop_front() {
                return Some(request);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the cells out that wait already; those that come later stay.
    pub fn take_cells(&self) -> Vec<Message> {
        let mut state = self.state();
        let waiting = std::mem::take(&mut state.waiting);
        let is_cell = |request: &Message| request.msg_type() == "execute_request";
        let (cells, others): (Vec<Message>, Vec<Message>) = waiting.into_iter().partition(is_cell);
        state.waiting = others.into();
        cells
    }

    /// Returns whether a waiting request is one of these.
    pub fn any(&self, is: impl Fn(&Message) -> bool) -> bool {
        self.state().waiting.iter().any(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(msg_type: &str) -> Message {
        Message::new("s", msg_type, json!({}), &json!({}))
    }

    #[test]
    fn cells_can_be_taken_out_and_the_rest_keeps_its_order() {
        let queue = Requests::default();
        for kind in ["a", "execute_request", "b", "execute_request"] {
            queue.push(request(kind));
        }
        assert!(queue.any(|r| r.msg_type() == "b"));
        assert_eq!(queue.take_cells().len(), 2);
        let next = || queue.next().map(|r| r.msg_type().to_string());
        assert_eq!(next().as_deref(), Some("a"));
        assert_eq!(next().as_deref(), Some("b"));
        queue.push(request("c"));
        queue.close();
        assert_eq!(next(), None);
    }
}
