//! Broadcasts of Redis that wait until JavaScript has handled what may change rooms before them.
//!
//! ```text
//!   Redis:     request "join r"        broadcast to r
//!   mailbox:   [ request ]             [ broadcast, for JavaScript's sockets ]
//!   here:                              waits, behind the chunk of the request
//!   drain      takes the request ── JavaScript joins ──▶ drain: writes the broadcast to native sockets,
//!                                                        then takes its entry for JavaScript's
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::ConnectionId;
use super::fanout::{Broadcast, Fanout, Reached, RemoteChange};
use super::rooms::{Audience, MemberId};
use crate::event_loop::Mailbox;

/// What waits, of all namespaces whose messages share a mailbox, in the order of Redis.
///
/// Locks are taken in this order: what waits, a namespace's rooms, the mailbox or a shard's queue.
#[derive(Default)]
pub struct Waiting {
    // A plain mutex: held while one thing is appended, and while the event loop's thread writes what has
    // waited, so that nothing overtakes it.
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
}

struct Item {
    /// The number of the chunk that JavaScript must have handled.
    gate: u64,
    fanout: Arc<Fanout>,
    what: What,
}

enum What {
    Broadcast(Owned),
    /// A change of mode, which must not count for broadcasts before it.
    Mode(RemoteChange),
}

struct Owned {
    rooms: Vec<Cow<'static, str>>,
    except: Vec<Cow<'static, str>>,
    frames: Bytes,
    volatile: bool,
}

impl Owned {
    fn of(broadcast: &Broadcast<'_>) -> Self {
        let owned = |names: &[Cow<'_, str>]| {
            names.iter().map(|name| Cow::Owned(name.clone().into_owned())).collect()
        };
        let Broadcast { audience, frames, volatile } = broadcast;
        let (rooms, except) = (owned(audience.rooms), owned(audience.except));
        Self { rooms, except, frames: frames.clone(), volatile: *volatile }
    }

    fn borrowed(&self) -> Broadcast<'_> {
        let audience = Audience { rooms: &self.rooms, except: &self.except };
        Broadcast { audience, frames: self.frames.clone(), volatile: self.volatile }
    }
}

impl Item {
    fn bytes(&self) -> usize {
        let What::Broadcast(Owned { rooms, except, frames, .. }) = &self.what else {
            return size_of::<Self>();
        };
        let names = rooms.iter().chain(except);
        let names: usize = names.map(|name| size_of::<Cow<'_, str>>() + name.len()).sum();
        size_of::<Self>() + names + frames.len()
    }

    fn release(self) -> Reached {
        match self.what {
            What::Broadcast(owned) => {
                self.fanout.write_remote(&owned.borrowed(), |reached| reached)
            }
            What::Mode(change) => {
                self.fanout.change_remote(change);
                Reached { connections: 0, javascript: false, anybody: false }
            }
        }
    }
}

impl Waiting {
    /// Beyond this, no more is read from Redis.
    const MAX_BYTES: usize = 64 * 1024 * 1024;

    /// Writes a broadcast of Redis to the native members of a namespace, or has it wait. Calls back with
    /// what has become of it, or with nothing when it waits; the entry for JavaScript is to be put into
    /// the mailbox meanwhile: where it waits, always.
    pub fn broadcast<T>(
        &self,
        mailbox: &Mailbox,
        fanout: &Arc<Fanout>,
        broadcast: &Broadcast<'_>,
        callback: impl FnOnce(Option<Reached>) -> T,
    ) -> T {
        let mut queue = self.lock();
        // The thread that asks is the one that puts gates into the mailbox, so there can be fewer by the
        // time that this is used, and no more.
        let Some(gate) = queue.gate(mailbox) else {
            drop(queue);
            return fanout.write_remote(broadcast, |reached| callback(Some(reached)));
        };
        let what = What::Broadcast(Owned::of(broadcast));
        queue.push(Item { gate, fanout: Arc::clone(fanout), what });
        // What JavaScript does about a later message comes after this broadcast, so it must be written
        // before that message is drained.
        mailbox.seal_gate();
        callback(None)
    }

    /// Whether a broadcast would have to wait.
    pub fn is_gated(&self, mailbox: &Mailbox) -> bool {
        self.lock().gate(mailbox).is_some()
    }

    /// A member becomes native or, with the connection 0, JavaScript's: for local broadcasts at once, for
    /// those of Redis from the chunk whose number is returned. Broadcasts of Redis wait on the connection
    /// until JavaScript uncorks it, which it does when it comes to that chunk or has found the end: until
    /// then it writes what was decided before.
    pub fn set_mode(
        &self,
        mailbox: &Mailbox,
        fanout: &Arc<Fanout>,
        member: MemberId,
        connection: ConnectionId,
    ) -> u64 {
        let mut queue = self.lock();
        let gate = queue.items.back().map(|last| last.gate);
        let seal = || mailbox.seal();
        let (number, rest) = fanout.change_mode(member, connection, gate.is_some(), seal);
        if let Some((gate, rest)) = gate.zip(rest) {
            queue.push(Item { gate, fanout: Arc::clone(fanout), what: What::Mode(rest) });
        }
        number
    }

    /// JavaScript has handled all that it has drained: writes what does not have to wait any more, and
    /// calls back with what has become of it.
    pub fn release(&self, mailbox: &Mailbox, mut callback: impl FnMut(Reached)) {
        let mut queue = self.lock();
        let gate = mailbox.handled();
        while queue.items.front().is_some_and(|item| gate.is_none_or(|gate| item.gate < gate)) {
            let Some(item) = queue.items.pop_front() else { return };
            queue.bytes -= item.bytes();
            callback(item.release());
        }
    }

    /// Whether more may wait.
    pub fn has_capacity(&self) -> bool {
        self.lock().bytes < Self::MAX_BYTES
    }

    /// How many wait, and their bytes.
    #[cfg(test)]
    pub fn depth(&self) -> (usize, usize) {
        let queue = self.lock();
        (queue.items.len(), queue.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The number of the chunk behind which a broadcast has to wait, if it has to.
    fn gate(&self, mailbox: &Mailbox) -> Option<u64> {
        mailbox.last_gate().or_else(|| self.items.back().map(|last| last.gate))
    }

    fn push(&mut self, item: Item) {
        self.bytes += item.bytes();
        self.items.push_back(item);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;

    use super::super::fanout::{Broadcast, Fanout, Writer};
    use super::super::rooms::Audience;
    use super::super::{ConnectionId, Waiting};
    use crate::event_loop::{Chunk, Entry, Limits, Mailbox, Overflow, Role};

    struct Request;

    impl Entry for Request {
        fn role(&self) -> Role {
            Role::Gate
        }
        fn size(&self) -> usize {
            0
        }
        fn write(&self, chunk: &mut Chunk) {
            chunk.put(&[0], &[]);
        }
    }

    #[derive(Default)]
    struct Log(Mutex<Vec<(Vec<ConnectionId>, usize)>>);

    impl Writer for Log {
        fn broadcast(&self, targets: &[ConnectionId], frames: &Bytes, _: bool, _: bool) {
            self.0.lock().unwrap().push((targets.to_vec(), frames.len()));
        }
        fn cork(&self, _: ConnectionId) {}
        fn wake(&self) {}
    }

    #[test]
    fn what_waits_is_bounded_and_released_behind_its_own_request() {
        let limits = Limits { messages: 1000, bytes: usize::MAX, overflow: Overflow::Wait };
        let (mailbox, log) = (Mailbox::new(limits, Box::new(|| {})), Arc::new(Log::default()));
        let fanout = Arc::new(Fanout::writing_to(Arc::clone(&log) as _));
        let waiting = Waiting::default();
        let member = fanout.add(7);
        let broadcast = |room, len| {
            let (rooms, frames) = ([Cow::Borrowed(room)], Bytes::from(vec![0; len]));
            let audience = Audience { rooms: &rooms, except: &[] };
            let broadcast = Broadcast { audience, frames, volatile: false };
            waiting.broadcast(&mailbox, &fanout, &broadcast, |reached| {
                reached.map(|reached| reached.connections)
            })
        };
        assert_eq!(broadcast("a", 1), Some(0));
        mailbox.append(&Request);
        assert_eq!(broadcast("a", 2), None);
        mailbox.append(&Request);
        assert_eq!(broadcast("b", 60 << 20), None);
        assert!(waiting.has_capacity());
        assert_eq!(broadcast("a", 4 << 20), None);
        assert!(!waiting.has_capacity());
        let handled = || {
            waiting.release(&mailbox, |_| {});
            let drained = mailbox.drain();
            (
                drained.map(|drained| drained.chunk.number),
                std::mem::take(&mut *log.0.lock().unwrap()),
            )
        };
        // Nothing has been handled: the first drain takes the first request.
        assert_eq!(handled(), (Some(1), vec![]));
        fanout.join(member, "a");
        assert_eq!(handled(), (Some(2), vec![(vec![7], 2)]));
        assert!(!waiting.has_capacity());
        fanout.leave(member, "a");
        fanout.join(member, "b");
        assert_eq!(handled(), (None, vec![(vec![7], 60 << 20)]));
        assert_eq!(waiting.depth(), (0, 0));
        assert_eq!(broadcast("b", 3), Some(1));
    }
}
