//! Which rooms of a namespace have somebody in them on this node.

mod strays;

pub use strays::{Stray, Strays};

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The rooms that are held here, by name. The room `1` and the room `"1"` of JavaScript share a
/// name, as they share a channel; hence the counts.
#[derive(Debug, Default)]
pub struct Held {
    // Read by the subscriber's task for every message, written by the event loop now and then.
    counts: RwLock<HashMap<Box<str>, u32>>,
}

impl Held {
    /// Somebody has joined `room`, the first one. `true` when the name was not held before.
    pub fn hold(&self, room: &str) -> bool {
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(room.into()).or_default();
        *count += 1;
        *count == 1
    }

    /// The last one has left `room`. `true` when the name is not held any more.
    pub fn release(&self, room: &str) -> bool {
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(room) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => return counts.remove(room).is_some(),
            None => {}
        }
        false
    }

    /// Whether anybody is in `room`.
    #[must_use]
    pub fn holds(&self, room: &str) -> bool {
        self.counts.read().unwrap_or_else(PoisonError::into_inner).contains_key(room)
    }

    /// All names.
    #[must_use]
    pub fn names(&self) -> Vec<Box<str>> {
        self.counts.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    #[test]
    fn a_name_is_held_until_the_last_of_its_rooms_is_left() {
        let held = Held::default();
        assert!(held.hold("1"));
        assert!(!held.hold("1"));
        assert!(!held.release("1"));
        assert!(held.holds("1"));
        assert!(held.release("1"));
        assert!(!held.holds("1"));
        assert!(!held.release("1"));
        assert!(held.names().is_empty());
    }
}
