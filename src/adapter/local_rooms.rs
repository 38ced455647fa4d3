//! Which rooms of a namespace have a socket on this server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// The rooms that have a socket here, by name. The room `1` and the room `"1"` of JavaScript share
/// a name, as they share a channel; hence the counts.
#[derive(Debug, Default)]
pub(super) struct LocalRooms {
    // Read by the session's task for every message, written by the event loop now and then.
    counts: RwLock<HashMap<Box<str>, u32>>,
    // Changed within the lock, before the room can be found.
    generation: AtomicU64,
}

impl LocalRooms {
    /// The first socket has joined `room`. `true` when the name was not here before.
    pub(super) fn add(&self, room: &str) -> bool {
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(room.into()).or_default();
        *count += 1;
        let added = *count == 1;
        if added {
            self.generation.fetch_add(1, Ordering::Release);
        }
        added
    }

    /// The last socket has left `room`. `true` when the name is not here any more.
    pub(super) fn remove(&self, room: &str) -> bool {
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(room) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => return counts.remove(room).is_some(),
            None => {}
        }
        false
    }

    /// Whether a socket is in `room`.
    pub(super) fn has(&self, room: &str) -> bool {
        self.counts.read().unwrap_or_else(PoisonError::into_inner).contains_key(room)
    }

    /// Grows with every room that is added. Read it before [`Self::has`]: if it is the same later,
    /// a room that was not here is not here still.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// All names.
    pub(super) fn names(&self) -> Vec<Box<str>> {
        self.counts.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::LocalRooms;

    #[test]
    fn a_name_is_here_until_the_last_of_its_rooms_is_left() {
        let rooms = LocalRooms::default();
        assert!(rooms.add("1"));
        assert!(!rooms.add("1"));
        assert!(!rooms.remove("1"));
        assert!(rooms.has("1"));
        assert!(rooms.remove("1"));
        assert!(!rooms.has("1"));
        assert!(!rooms.remove("1"));
        assert!(rooms.names().is_empty());
    }

    #[test]
    fn the_generation_grows_with_every_name_that_comes() {
        let rooms = LocalRooms::default();
        let mut last = rooms.generation();
        for grows in [true, false] {
            rooms.add("1");
            assert_eq!(rooms.generation() > last, grows);
            last = rooms.generation();
        }
        rooms.remove("1");
        rooms.remove("1");
        assert_eq!(rooms.generation(), last);
        rooms.add("1");
        assert!(rooms.generation() > last);
    }
}
