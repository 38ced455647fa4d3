//! The mailbox under loom: in every interleaving of a writer and the event loop, no entry is left
//! without a wake that leads to it, and no two wakes are under way at once.

#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::unused_self, clippy::unused_async)]

/// Loom's primitives in the place of those that `event_loop/mod.rs` names.
mod sync {
    pub use loom::sync::Mutex;
    pub use std::sync::PoisonError;

    /// Capacity is not modelled here: `mailbox.rs` tests it.
    pub struct Notify;

    impl Notify {
        pub fn new() -> Self {
            Self
        }
        pub fn notify_one(&self) {}
        pub async fn notified(&self) {}
    }
}

#[path = "../src/event_loop/chunk.rs"]
mod chunk;
#[path = "../src/event_loop/deferred.rs"]
mod deferred;
#[path = "../src/event_loop/dropped.rs"]
mod dropped;
#[path = "../src/event_loop/load.rs"]
mod load;
#[path = "../src/event_loop/mailbox.rs"]
mod mailbox;
#[path = "../src/event_loop/queue.rs"]
mod queue;

use chunk::{Chunk, Entry, Role};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use mailbox::Mailbox;
use queue::{Limits, Overflow};

/// Two of them never share a chunk, so that a drain may have to say that there is more.
struct Large;

impl Entry for Large {
    fn role(&self) -> Role {
        Role::Message
    }

    fn size(&self) -> usize {
        200 * 1024
    }

    fn write(&self, chunk: &mut Chunk) {
        chunk.put(&[], &[&vec![b'x'; 200 * 1024]]);
    }
}

fn drain_all(mailbox: &Mailbox) -> usize {
    let mut seen = 0;
    while let Some(drained) = mailbox.drain() {
        seen += drained.chunk.entries;
        if !drained.more {
            break;
        }
    }
    seen
}

#[test]
fn every_entry_is_followed_by_a_wake() {
    loom::model(|| {
        let (woken, doubled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let waker = {
            let (woken, doubled) = (Arc::clone(&woken), Arc::clone(&doubled));
            move || {
                if woken.swap(true, Ordering::SeqCst) {
                    doubled.fetch_add(1, Ordering::SeqCst);
                }
            }
        };
        let limits = Limits { messages: 10, bytes: usize::MAX, overflow: Overflow::Wait };
        let mailbox = Arc::new(Mailbox::new(limits, Box::new(waker)));

        let writers: Vec<_> = (0..2)
            .map(|_| {
                let mailbox = Arc::clone(&mailbox);
                thread::spawn(move || mailbox.push(&Large))
            })
            .collect();

        let mut seen = 0;
        // The event loop runs whenever it was woken, here once while the writers are at work …
        if woken.swap(false, Ordering::SeqCst) {
            seen += drain_all(&mailbox);
        }
        for writer in writers {
            writer.join().unwrap();
        }
        // … and as often as it takes afterwards.
        while woken.swap(false, Ordering::SeqCst) {
            seen += drain_all(&mailbox);
        }
        assert_eq!(seen, 2);
        assert_eq!(doubled.load(Ordering::SeqCst), 0);
    });
}
