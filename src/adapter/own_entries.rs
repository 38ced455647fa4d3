//! The entries of a server that come back to it by the stream: each is handled once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which entries of a namespace have come back, and which were handled without that: those of which it is not
/// known whether Redis has added them, as the connection broke before it said so.
#[derive(Default)]
pub(super) struct OwnEntries {
    // A plain mutex: held for a look or a change.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    came: VecDeque<u32>,
    handled: VecDeque<u32>,
}

impl OwnEntries {
    /// How many of each kind are remembered: more than are under way at once.
    const MOST: usize = 16_384;

    /// An entry has come back that was added under this ticket. Whether it is to be handled.
    pub(super) fn came(&self, ticket: u32) -> bool {
        let mut state = self.lock();
        if let Some(index) = state.handled.iter().position(|handled| *handled == ticket) {
            state.handled.remove(index);
            return false;
        }
        remember(&mut state.came, ticket);
        true
    }

    /// Whether what was added under this ticket, and may not have been, is to be handled now. Should it come
    /// back after that, it is not handled again.
    pub(super) fn give_up(&self, ticket: u32) -> bool {
        let mut state = self.lock();
        if state.came.contains(&ticket) {
            return false;
        }
        remember(&mut state.handled, ticket);
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(tickets: &mut VecDeque<u32>, ticket: u32) {
    if tickets.len() == OwnEntries::MOST {
        tickets.pop_front();
    }
    tickets.push_back(ticket);
}

#[cfg(test)]
mod tests {
    use super::OwnEntries;

    #[test]
    fn each_is_handled_once_whatever_is_known_first() {
        let own = OwnEntries::default();
        assert!(own.came(1), "it comes back");
        assert!(!own.give_up(1), "and then the connection breaks");
        assert!(own.give_up(2), "the connection breaks");
        assert!(!own.came(2), "and then it comes back");
        assert!(own.came(2), "as another one, once tickets begin anew");
    }

    #[test]
    fn what_never_comes_is_forgotten_in_time() {
        let own = OwnEntries::default();
        for ticket in 0..=u32::try_from(OwnEntries::MOST).unwrap_or(u32::MAX) {
            assert!(own.give_up(ticket));
        }
        assert!(own.came(0) && !own.came(1));
    }
}
