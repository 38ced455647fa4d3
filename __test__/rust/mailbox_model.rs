//! The mailbox under loom: in every interleaving of a writer and the event loop, no entry is left
//! without a wake that leads to it, and no two wakes are under way at once.

#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::unused_self, clippy::unused_async)]

/// Loom's primitives in the place of those that `delivery/mod.rs` names.
mod sync {
    pub use loom::sync::Mutex;
    pub use std::sync::PoisonError;

    /// Room is not modelled here: `mailbox.rs` tests it.
    pub struct Notify;

    impl Notify {
        pub fn new() -> Self {
            Self
        }
        pub fn notify_one(&self) {}
        pub async fn notified(&self) {}
    }
}

#[path = "../../src/delivery/chunk.rs"]
mod chunk;
#[path = "../../src/delivery/mailbox.rs"]
mod mailbox;

use chunk::Entry;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use mailbox::{Limits, Mailbox, Overflow, Wake};

/// The event loop's doorbell, as a `ThreadsafeFunction` is one.
struct Bell {
    rung: Arc<AtomicBool>,
    doubled: Arc<AtomicUsize>,
}

impl Wake for Bell {
    fn wake(&self) {
        if self.rung.swap(true, Ordering::SeqCst) {
            self.doubled.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Two of them never share a chunk, so that a drain may have to say that there is more.
static LARGE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "x".repeat(200 * 1024));

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
        let (rung, doubled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let bell = Bell { rung: Arc::clone(&rung), doubled: Arc::clone(&doubled) };
        let limits = Limits { messages: 10, bytes: 10, overflow: Overflow::Wait };
        let mailbox = Arc::new(Mailbox::new(limits, Box::new(bell)));

        let writers: Vec<_> = (0..2)
            .map(|channel| {
                let mailbox = Arc::clone(&mailbox);
                thread::spawn(move || mailbox.push(&Entry::Args { channel, args: &LARGE }))
            })
            .collect();

        let mut seen = 0;
        // The event loop runs whenever it was rung, here once while the writers are at work …
        if rung.swap(false, Ordering::SeqCst) {
            seen += drain_all(&mailbox);
        }
        for writer in writers {
            writer.join().unwrap();
        }
        // … and as often as it takes afterwards.
        while rung.swap(false, Ordering::SeqCst) {
            seen += drain_all(&mailbox);
        }
        assert_eq!(seen, 2);
        assert_eq!(doubled.load(Ordering::SeqCst), 0);
    });
}
