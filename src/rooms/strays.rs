//! Broadcasts for rooms that have nobody here, until the event loop has taken a turn.
//!
//! Somebody may have joined in the turn that is under way, which is not told before its end; and
//! what arrives in that turn is for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A broadcast that nobody here is waiting for, so far.
#[derive(Debug)]
pub struct Stray {
    /// The channel that it came on.
    pub channel: Box<[u8]>,
    /// The payload as Redis sent it.
    pub payload: Box<[u8]>,
    // One for several rooms is in the list of each.
    taken: AtomicBool,
}

/// Strays by the name of their room.
#[derive(Debug, Default)]
pub struct Strays {
    by_room: HashMap<Box<str>, Vec<Arc<Stray>>>,
    count: u64,
    bytes: usize,
}

impl Strays {
    /// No more than these are kept; a turn of the event loop seldom brings as many.
    const MESSAGES: u64 = 10_000;
    const BYTES: usize = 8 * 1024 * 1024;

    /// Keeps a broadcast for these rooms; `false` when there are too many already.
    pub fn keep<'a>(
        &mut self,
        rooms: impl Iterator<Item = &'a str>,
        channel: &[u8],
        payload: &[u8],
    ) -> bool {
        if self.count >= Self::MESSAGES || self.bytes >= Self::BYTES {
            return false;
        }
        self.count += 1;
        self.bytes += channel.len() + payload.len();
        let taken = AtomicBool::new(false);
        let stray = Arc::new(Stray { channel: channel.into(), payload: payload.into(), taken });
        for room in rooms {
            self.by_room.entry(room.into()).or_default().push(Arc::clone(&stray));
        }
        true
    }

    /// Takes those for `room`, in their order.
    pub fn take(&mut self, room: &str) -> Vec<Arc<Stray>> {
        let mut strays = self.by_room.remove(room).unwrap_or_default();
        strays.retain(|stray| !stray.taken.swap(true, Ordering::Relaxed));
        self.count -= strays.len() as u64;
        strays
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Strays;

    #[test]
    fn gives_each_broadcast_once_and_in_order() {
        let mut strays = Strays::default();
        assert!(strays.keep(["a"].into_iter(), b"c", b"1"));
        assert!(strays.keep(["a", "b"].into_iter(), b"c", b"2"));
        assert!(strays.keep(["b"].into_iter(), b"c", b"3"));
        let payloads = |strays: &mut Strays, room| -> Vec<u8> {
            strays.take(room).iter().flat_map(|stray| stray.payload.iter().copied()).collect()
        };
        assert_eq!(payloads(&mut strays, "a"), b"12");
        assert_eq!(payloads(&mut strays, "b"), b"3");
        assert_eq!(payloads(&mut strays, "b"), b"");
        assert!(strays.is_empty());
    }

    #[test]
    fn keeps_a_bounded_number() {
        let mut strays = Strays::default();
        let kept = (0..20_000).filter(|_| strays.keep(["a"].into_iter(), b"c", b"1")).count();
        assert_eq!(kept, 10_000);
        assert_eq!(strays.len(), 10_000);
    }
}
