//! The mailbox: bounded, wakes once, drains by the chunk, keeps the order.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::items_after_statements
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket_io_redis_native::delivery::{Chunk, Entry, Limits, Mailbox, Overflow, Reply, Wake};

#[derive(Default)]
struct Count(AtomicUsize);

struct Bell(Arc<Count>);

impl Wake for Bell {
    fn wake(&self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn mailbox(messages: usize, bytes: usize) -> (Mailbox, Arc<Count>) {
    overflowing(messages, bytes, Overflow::Wait)
}

fn overflowing(messages: usize, bytes: usize, overflow: Overflow) -> (Mailbox, Arc<Count>) {
    let count = Arc::new(Count::default());
    let limits = Limits { messages, bytes, overflow };
    let mailbox = Mailbox::new(limits, Box::new(Bell(Arc::clone(&count))));
    (mailbox, count)
}

fn wakes(count: &Count) -> usize {
    count.0.load(Ordering::SeqCst)
}

const MESSAGE: Entry<'_> = Entry::Args { channel: 7, args: "[1]" };

#[test]
fn wakes_once_until_a_drain_found_the_end() {
    let (mailbox, count) = mailbox(10, 1000);
    mailbox.push(&MESSAGE);
    mailbox.push(&MESSAGE);
    assert_eq!(wakes(&count), 1);
    let drained = mailbox.drain().unwrap();
    assert_eq!(drained.chunk.entries, 2);
    assert!(!drained.more);
    mailbox.push(&MESSAGE);
    assert_eq!(wakes(&count), 2);
}

#[test]
fn a_drain_that_finds_nothing_rearms() {
    let (mailbox, count) = mailbox(10, 1000);
    assert!(mailbox.drain().is_none());
    mailbox.push(&MESSAGE);
    assert_eq!(wakes(&count), 1);
}

#[test]
fn a_drain_takes_one_budget_and_says_that_there_is_more() {
    let (mailbox, count) = mailbox(10_000, 1_000_000);
    for _ in 0..600 {
        mailbox.push(&MESSAGE);
    }
    let first = mailbox.drain().unwrap();
    assert_eq!((first.chunk.entries, first.more), (256, true));
    // The event loop is on its way back already.
    mailbox.push(&MESSAGE);
    let sizes: Vec<(usize, bool)> =
        std::iter::from_fn(|| mailbox.drain()).map(|d| (d.chunk.entries, d.more)).collect();
    assert_eq!(sizes, [(256, true), (89, false)]);
    assert_eq!(wakes(&count), 1);
    assert_eq!(mailbox.depth(), (0, 0));
}

#[test]
fn a_large_entry_has_a_chunk_of_its_own() {
    let (mailbox, _) = mailbox(10, usize::MAX);
    let large = "x".repeat(300 * 1024);
    mailbox.push(&MESSAGE);
    mailbox.push(&Entry::Args { channel: 1, args: &large });
    mailbox.push(&MESSAGE);
    let sizes: Vec<usize> =
        std::iter::from_fn(|| mailbox.drain()).map(|d| d.chunk.bytes.len()).collect();
    assert_eq!(sizes, [3, large.len(), 3]);
}

#[test]
fn every_kind_of_entry_is_counted_by_its_bytes() {
    let (mailbox, _) = mailbox(10, 1000);
    mailbox.push(&Entry::Reply { request: 1, reply: Reply::Integer(-12) });
    mailbox.push(&Entry::Event { json: "{}" });
    mailbox.push(&Entry::Raw { channel: 1, payload: b"ab" });
    assert_eq!(mailbox.depth(), (1, 7));
    mailbox.drain();
    assert_eq!(mailbox.depth(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn writers_wait_for_room_and_are_let_in_by_a_drain() {
    for (messages, bytes) in [(2, 1000), (1000, 6)] {
        let (mailbox, _) = mailbox(messages, bytes);
        mailbox.push(&MESSAGE);
        mailbox.room().await;
        mailbox.push(&MESSAGE);
        assert!(!mailbox.has_room());
        let blocked = tokio::time::timeout(Duration::from_secs(60), mailbox.room()).await;
        assert!(blocked.is_err());
        let mut waiting = std::pin::pin!(mailbox.room());
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut waiting).await.is_err());
        mailbox.drain();
        waiting.await;
    }
}

#[test]
fn the_index_takes_the_bytes_apart() {
    let mut chunk = Chunk::default();
    for volatile in [None, Some(false), Some(true)] {
        chunk.push(&Entry::Dispatch {
            channel: 3,
            volatile,
            room: "/r",
            packet: "5:::é",
            exceptions: "[\"1\"]",
        });
    }
    chunk.push(&MESSAGE);
    chunk.push(&Entry::Raw { channel: 4, payload: &[0xff, 0] });
    chunk.push(&Entry::Reply { request: 9, reply: Reply::Nil });
    chunk.push(&Entry::Reply { request: 10, reply: Reply::Integer(-5) });
    chunk.push(&Entry::Reply { request: 11, reply: Reply::Bytes(b"v") });
    chunk.push(&Entry::Reply { request: 12, reply: Reply::Error("{}") });
    chunk.push(&Entry::Event { json: "{\"event\":\"close\"}" });
    #[rustfmt::skip]
    let expected = [
        1, 3, 0, 2, 6, 5,
        1, 3, 1, 2, 6, 5,
        1, 3, 2, 2, 6, 5,
        0, 7, 3,
        2, 4, 2,
        3, 9, 0, 0,
        3, 10, 1, 2,
        3, 11, 2, 1,
        3, 12, 3, 2,
        4, 17,
    ];
    assert_eq!(chunk.index, expected);
    assert_eq!(chunk.entries, 10);
    assert_eq!(chunk.messages, 5);
    assert!(chunk.bytes.starts_with("/r5:::é[\"1\"]/r".as_bytes()));
}

#[test]
fn two_threads_lose_nothing_and_are_heard() {
    const MANY: u32 = 20_000;
    let (bell, rings) = std::sync::mpsc::channel();
    struct Ring(std::sync::mpsc::Sender<()>);
    impl Wake for Ring {
        fn wake(&self) {
            self.0.send(()).unwrap();
        }
    }
    let limits = Limits { messages: usize::MAX, bytes: usize::MAX, overflow: Overflow::Wait };
    let mailbox = Arc::new(Mailbox::new(limits, Box::new(Ring(bell))));
    let writer = Arc::clone(&mailbox);
    let task = std::thread::spawn(move || {
        for channel in 0..MANY {
            writer.push(&Entry::Args { channel, args: "" });
        }
    });
    let mut seen = Vec::new();
    while seen.len() < MANY as usize {
        rings.recv().unwrap();
        while let Some(drained) = mailbox.drain() {
            seen.extend(drained.chunk.index.chunks(3).map(|words| words[1]));
            if !drained.more {
                break;
            }
        }
    }
    task.join().unwrap();
    assert!(seen.into_iter().eq(0..MANY));
}

/// The texts of the messages and replies in a mailbox, in order.
fn drain_all(mailbox: &Mailbox) -> Vec<String> {
    let chunks = std::iter::from_fn(|| mailbox.drain());
    chunks.map(|drained| String::from_utf8(drained.chunk.bytes).unwrap()).collect()
}

fn fill(mailbox: &Mailbox, count: usize) {
    for number in 0..count {
        mailbox.push(&Entry::Args { channel: 1, args: &format!("{number},") });
    }
}

#[test]
fn drops_the_oldest_messages_and_no_reply() {
    let (mailbox, _) = overflowing(512, usize::MAX, Overflow::DropOldest);
    fill(&mailbox, 10);
    mailbox.push(&Entry::Reply { request: 1, reply: Reply::Bytes(b"reply") });
    fill(&mailbox, 503);
    assert!(mailbox.has_room());
    assert_eq!(mailbox.take_dropped(), 10);
    assert_eq!(mailbox.take_dropped(), 0);
    let left = drain_all(&mailbox);
    assert_eq!(left[0], "reply");
    assert!(left[1].starts_with("0,1,2,"));
    assert!(left[2].ends_with(",502,"));
    assert_eq!(mailbox.depth(), (0, 0));
}

#[test]
fn drops_the_newest_messages_and_no_reply() {
    let (mailbox, _) = overflowing(3, usize::MAX, Overflow::DropNewest);
    fill(&mailbox, 5);
    mailbox.push(&Entry::Reply { request: 1, reply: Reply::Bytes(b"reply") });
    assert!(mailbox.has_room());
    assert_eq!(mailbox.take_dropped(), 2);
    assert_eq!(drain_all(&mailbox), ["0,1,2,reply"]);
}

#[test]
fn a_full_mailbox_tells_its_readers_to_leave() {
    let (mailbox, _) = overflowing(3, usize::MAX, Overflow::Disconnect);
    fill(&mailbox, 2);
    assert!(!mailbox.is_overrun());
    fill(&mailbox, 1);
    assert!(mailbox.is_overrun());
    assert!(!mailbox.has_room());
    mailbox.drain().unwrap();
    assert!(!mailbox.is_overrun());
}

#[test]
fn is_gated_until_the_drain_after_that_of_a_request() {
    let request = Entry::Payload { namespace: 1, kind: 1, channel: b"c", payload: b"{}" };
    let (mailbox, _) = overflowing(10, usize::MAX, Overflow::DropOldest);
    mailbox.push(&MESSAGE);
    assert!(!mailbox.is_gated());
    mailbox.push(&request);
    assert!(mailbox.is_gated());
    mailbox.drain().unwrap();
    assert!(mailbox.is_gated(), "the event loop may not have seen to it yet");
    assert!(mailbox.drain().is_none());
    assert!(!mailbox.is_gated());
    // What is dropped is not waited for.
    mailbox.push(&request);
    fill(&mailbox, 10);
    assert_eq!(mailbox.take_dropped(), 10);
    assert!(!mailbox.is_gated());
}
