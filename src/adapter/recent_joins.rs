//! Which rooms sockets were lately asked to join, by whatever server.
//!
//! Where rooms have channels of their own, a server that does what such a request asks for subscribes
//! to the room's channel after that, and would miss what is published there before. All servers hear
//! the channel of the namespace, so broadcasts to such a room take that one for a while. Both are
//! published and read on one connection, so they stay in order.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::wire::Wire;

/// How many rooms are remembered. With more, all rooms count as lately joined.
const MAX_ROOMS: usize = 10_000;
/// How many bytes of names are remembered.
const MAX_BYTES: usize = 1024 * 1024;

/// The rooms of a namespace that sockets were lately asked to join.
#[derive(Debug)]
pub(super) struct RecentJoins {
    span: Duration,
    wire: Wire,
    // A plain mutex: held for a look-up by the tasks that write and that read.
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// Until when each room counts.
    until: HashMap<Box<str>, Instant>,
    bytes: usize,
    /// Until when any of them counts.
    latest: Option<Instant>,
    /// Until when all rooms count.
    all: Option<Instant>,
}

impl RecentJoins {
    /// `span`: how long a server may take to do what it is asked for.
    pub(super) fn new(span: Duration, wire: Wire) -> Self {
        Self { span, wire, recent: Mutex::default() }
    }

    /// Remembers the rooms, if `request` is one to join rooms.
    pub(super) fn see(&self, request: &[u8], now: Instant) {
        let rooms = self.wire.rooms_to_join(request);
        // What is farther away than time goes is never over.
        let Some(until) = now.checked_add(self.span).filter(|_| !rooms.is_empty()) else { return };
        self.change(|recent| rooms.iter().for_each(|room| recent.add(room, until, now)));
    }

    /// Whether sockets of another server may be in `room` without its being subscribed to.
    pub(super) fn has(&self, room: &str, now: Instant) -> bool {
        self.change(|recent| recent.has(room, now))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Recent) -> T) -> T {
        change(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Recent {
    fn has(&mut self, room: &str, now: Instant) -> bool {
        if self.latest.is_none_or(|latest| latest < now) {
            if self.latest.is_some() {
                *self = Self::default();
            }
            return false;
        }
        self.all.is_some_and(|all| all >= now)
            || self.until.get(room).is_some_and(|until| *until >= now)
    }

    fn add(&mut self, room: &str, until: Instant, now: Instant) {
        self.latest = Some(until);
        if let Some(known) = self.until.get_mut(room) {
            *known = until;
            return;
        }
        if self.is_full(room, 1) {
            self.until.retain(|_, until| *until >= now);
            self.bytes = self.until.keys().map(|room| room.len()).sum();
            // Not for a few: they would be looked through again at once.
            if self.is_full(room, 2) {
                self.until.clear();
                self.bytes = 0;
                self.all = Some(until);
                return;
            }
        }
        self.bytes += room.len();
        self.until.insert(room.into(), until);
    }

    /// Whether there is no place for one more within a part of the limits.
    fn is_full(&self, room: &str, part: usize) -> bool {
        self.until.len() >= MAX_ROOMS / part || self.bytes + room.len() > MAX_BYTES / part
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MAX_ROOMS, RecentJoins};
    use crate::adapter::wire::Wire;
    use std::time::{Duration, Instant};

    const SPAN: Duration = Duration::from_secs(5);

    fn request(rooms: &str) -> Vec<u8> {
        format!(r#"{{"uid":"x","type":2,"opts":{{"rooms":[],"except":[]}},"rooms":{rooms}}}"#)
            .into()
    }

    #[test]
    fn a_room_counts_as_long_as_the_servers_have_to_answer() {
        let (joins, start) = (RecentJoins::new(SPAN, Wire::Classic), Instant::now());
        assert!(!joins.has("a", start));
        joins.see(&request(r#"["a",1,1.5]"#), start);
        assert!(["a", "1", "1.5"].iter().all(|room| joins.has(room, start + SPAN)));
        assert!(!joins.has("a", start + SPAN + Duration::from_millis(1)));
        joins.see(&request(r#"["a"]"#), start);
        joins.see(&request(r#"["a"]"#), start + SPAN);
        assert!(!joins.has("b", start + SPAN));
        assert!(joins.has("a", start + 2 * SPAN));
        assert!(!joins.has("a", start + 3 * SPAN));
    }

    #[test]
    fn with_too_many_rooms_all_count() {
        let start = Instant::now();
        let names = |from: usize, to: usize, length: usize| {
            let names: Vec<_> = (from..to).map(|i| format!("{i}{}", "x".repeat(length))).collect();
            request(&format!("{names:?}"))
        };
        let long = MAX_BYTES / 10 - 1;
        for (many, length) in [(MAX_ROOMS, 1), (10, long)] {
            let joins = RecentJoins::new(SPAN, Wire::Classic);
            joins.see(&names(0, many, length), start);
            assert!(!joins.has("other", start));
            joins.see(&names(many, many + 1, length), start);
            assert!(joins.has("other", start));
            assert!(!joins.has("other", start + SPAN + Duration::from_millis(1)));
            // Those that are over make place for others.
            joins.see(&names(0, many, length), start);
            let later = start + 2 * SPAN;
            joins.see(&names(many, many + 2, length), later);
            assert!(joins.has(&format!("{many}{}", "x".repeat(length)), later));
            assert!(!joins.has("other", later));
        }
    }
}
