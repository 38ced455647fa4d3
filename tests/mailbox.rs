//! The mailbox: bounded, wakes once, drains by the chunk, keeps the order.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::items_after_statements
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use socket_io_redis_native::adapter::{Payload, payload_kind};
use socket_io_redis_native::event_loop::{
    Chunk, Event, Filter, Limits, Mailbox, Outcome, Overflow, Reply,
};
use socket_io_redis_native::store::{ChannelEntry, Delivery};

type Count = Arc<AtomicUsize>;

fn mailbox(messages: usize, bytes: usize) -> (Mailbox, Count) {
    overflowing(messages, bytes, Overflow::Wait)
}

fn overflowing(messages: usize, bytes: usize, overflow: Overflow) -> (Mailbox, Count) {
    let wakes = Count::default();
    let limits = Limits { messages, bytes, overflow };
    let counted = Arc::clone(&wakes);
    let wake = move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    (Mailbox::new(limits, Box::new(wake)), wakes)
}

async fn capacity(mailbox: &Mailbox) {
    while !mailbox.has_capacity() {
        mailbox.next_drain().await;
    }
}

fn wakes(count: &Count) -> usize {
    count.load(Ordering::SeqCst)
}

const fn args(channel: u32, args: &str) -> ChannelEntry<'_> {
    ChannelEntry { channel, delivery: Delivery::Args(args), is_gate: false }
}

const MESSAGE: ChannelEntry<'_> = args(7, "[1]");
const REPLY: Reply<'_> = Reply { ticket: 1, outcome: Outcome::Bytes(b"reply") };
const REQUEST: Payload<'_> =
    Payload { namespace: 1, kind: payload_kind::REQUEST, channel: b"c", payload: b"request," };
const MANY: usize = 64_000;

#[test]
fn wakes_once_until_a_drain_found_the_end() {
    let (mailbox, count) = mailbox(MANY, usize::MAX);
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
    let (mailbox, count) = mailbox(MANY, usize::MAX);
    assert!(mailbox.drain().is_none());
    mailbox.push(&MESSAGE);
    assert_eq!(wakes(&count), 1);
}

#[test]
fn a_drain_takes_one_budget_and_says_that_there_is_more() {
    let (mailbox, count) = mailbox(MANY, usize::MAX);
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
    let (mailbox, _) = mailbox(MANY, usize::MAX);
    let large = "x".repeat(300 * 1024);
    mailbox.push(&MESSAGE);
    mailbox.push(&args(1, &large));
    mailbox.push(&MESSAGE);
    let sizes: Vec<usize> =
        std::iter::from_fn(|| mailbox.drain()).map(|d| d.chunk.bytes.len()).collect();
    assert_eq!(sizes, [3, large.len(), 3]);
}

#[test]
fn counts_all_the_memory_that_entries_take() {
    let (mailbox, _) = mailbox(usize::MAX, usize::MAX);
    for _ in 0..10_000 {
        mailbox.push(&args(1, ""));
    }
    let (messages, bytes) = mailbox.depth();
    assert_eq!(messages, 10_000);
    // Three words each, though there is no text.
    assert!(bytes >= 10_000 * 12, "{bytes}");
    while mailbox.drain().is_some() {}
    assert_eq!(mailbox.depth(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn writers_wait_for_capacity_and_are_let_in_by_a_drain() {
    for (messages, bytes) in [(2, usize::MAX), (1000, 64 * 1024)] {
        let (mailbox, _) = mailbox(messages, bytes);
        mailbox.push(&MESSAGE);
        capacity(&mailbox).await;
        mailbox.push(&args(1, &"x".repeat(64 * 1024)));
        assert!(!mailbox.has_capacity());
        let blocked = tokio::time::timeout(Duration::from_secs(60), capacity(&mailbox)).await;
        assert!(blocked.is_err());
        let mut waiting = std::pin::pin!(capacity(&mailbox));
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut waiting).await.is_err());
        while mailbox.drain().is_some() {}
        waiting.await;
    }
}

#[test]
fn the_index_takes_the_bytes_apart() {
    let mut chunk = Chunk::default();
    for volatile in [None, Some(false), Some(true)] {
        let delivery =
            Delivery::Dispatch { volatile, room: "/r", packet: "5:::é", exceptions: "[\"1\"]" };
        chunk.push(&ChannelEntry { channel: 3, delivery, is_gate: false });
    }
    chunk.push(&MESSAGE);
    chunk.push(&ChannelEntry { channel: 4, delivery: Delivery::Raw(&[0xff, 0]), is_gate: false });
    chunk.push(&Reply { ticket: 9, outcome: Outcome::Nil });
    chunk.push(&Reply { ticket: 10, outcome: Outcome::Integer(-5) });
    chunk.push(&Reply { ticket: 11, outcome: Outcome::Bytes(b"v") });
    chunk.push(&Reply { ticket: 12, outcome: Outcome::Error("{}") });
    chunk.push(&Event::Close);
    #[rustfmt::skip]
    let expected = [
        17, 3, 0, 2, 6, 5,
        17, 3, 1, 2, 6, 5,
        17, 3, 2, 2, 6, 5,
        16, 7, 3,
        18, 4, 2,
        0, 9, 0, 0,
        0, 10, 1, 2,
        0, 11, 2, 1,
        0, 12, 3, 2,
        1, 17,
    ];
    assert_eq!(chunk.index, expected);
    assert_eq!(chunk.entries, 10);
    assert_eq!(chunk.messages, 5);
    assert!(chunk.bytes.starts_with("/r5:::é[\"1\"]/r".as_bytes()));
}

#[test]
fn two_threads_lose_nothing_and_wake_for_all() {
    const COUNT: u32 = 20_000;
    let (wake, woken) = std::sync::mpsc::channel();
    let limits = Limits { messages: usize::MAX, bytes: usize::MAX, overflow: Overflow::Wait };
    let mailbox = Arc::new(Mailbox::new(limits, Box::new(move || wake.send(()).unwrap())));
    let writer = Arc::clone(&mailbox);
    let task = std::thread::spawn(move || {
        for channel in 0..COUNT {
            writer.push(&args(channel, ""));
        }
    });
    let mut seen = Vec::new();
    while seen.len() < COUNT as usize {
        woken.recv().unwrap();
        while let Some(drained) = mailbox.drain() {
            seen.extend(drained.chunk.index.chunks(3).map(|words| words[1]));
            if !drained.more {
                break;
            }
        }
    }
    task.join().unwrap();
    assert!(seen.into_iter().eq(0..COUNT));
}

/// The texts of the messages and replies in a mailbox, in order.
fn drain_all(mailbox: &Mailbox) -> Vec<String> {
    let chunks = std::iter::from_fn(|| mailbox.drain());
    chunks.map(|drained| String::from_utf8(drained.chunk.bytes).unwrap()).collect()
}

fn fill(mailbox: &Mailbox, numbers: std::ops::Range<usize>) {
    for number in numbers {
        mailbox.push(&args(1, &format!("{number},")));
    }
}

fn dropped(mailbox: &Mailbox) -> u64 {
    mailbox.take_dropped().map_or(0, |dropped| dropped.count)
}

#[test]
fn drops_the_oldest_messages_and_no_reply() {
    let (mailbox, _) = overflowing(640, usize::MAX, Overflow::DropOldest);
    fill(&mailbox, 0..10);
    mailbox.push(&REPLY);
    fill(&mailbox, 10..641);
    assert!(mailbox.has_capacity());
    assert_eq!(dropped(&mailbox), 10, "one chunk, and that is a small part of all");
    assert_eq!(dropped(&mailbox), 0);
    let left = drain_all(&mailbox).concat();
    assert!(left.starts_with("reply10,11,"), "{left}");
    assert!(left.ends_with(",640,"), "{left}");
    assert_eq!(mailbox.depth(), (0, 0));
}

#[test]
fn drops_no_more_than_must_go_when_few_may_wait() {
    let (mailbox, _) = overflowing(200, usize::MAX, Overflow::DropOldest);
    fill(&mailbox, 0..200);
    assert_eq!(dropped(&mailbox), 0);
    fill(&mailbox, 200..201);
    assert!(dropped(&mailbox) <= 3);
}

#[test]
fn drops_as_many_as_a_large_message_takes_the_place_of() {
    const LIMIT: usize = 1024 * 1024;
    let (mailbox, _) = overflowing(MANY, LIMIT, Overflow::DropOldest);
    let medium = "x".repeat(8 * 1024);
    for _ in 0..1000 {
        mailbox.push(&args(1, &medium));
        assert!(mailbox.depth().1 <= LIMIT, "{:?}", mailbox.depth());
    }
    let large = "x".repeat(LIMIT - LIMIT / 8);
    for _ in 0..10 {
        mailbox.push(&args(1, &large));
        assert!(mailbox.depth().1 <= LIMIT, "{:?}", mailbox.depth());
    }
}

#[test]
fn stays_within_its_bytes_whatever_the_sizes() {
    const LIMIT: usize = 256 * 1024;
    let (mailbox, _) = overflowing(MANY, LIMIT, Overflow::DropOldest);
    let mut state = 7_u64;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // From 1 byte to 128 KiB, each magnitude as often as another.
        let size = 1_usize << (state >> 60) << ((state >> 32) & 3);
        mailbox.push(&args(1, &"x".repeat(size.min(128 * 1024))));
        let (messages, bytes) = mailbox.depth();
        assert!(bytes <= LIMIT && messages > 0, "{messages} messages, {bytes} bytes");
    }
}

#[test]
fn a_drain_decides_about_no_more_than_one_chunk() {
    let (mailbox, _, rooms, filter) = with_rooms();
    for _ in 0..1000 {
        defer(&mailbox, &filter, b"a", "a,");
    }
    rooms.join(b'b');
    let mut decided = 0;
    while let Some(drained) = mailbox.drain() {
        assert_eq!(drained.chunk.entries, 0);
        let now = rooms.discarded.load(Ordering::SeqCst);
        assert!(now > decided && now <= decided + 256, "{decided} to {now}");
        decided = now;
    }
    assert_eq!(decided, 1000);
}

#[test]
fn says_when_what_it_dropped_had_arrived() {
    let (mailbox, _) = overflowing(64, usize::MAX, Overflow::DropOldest);
    let start = SystemTime::now();
    fill(&mailbox, 0..32);
    let middle = SystemTime::now();
    // The clock of the machine has a resolution.
    while SystemTime::now() == middle {}
    fill(&mailbox, 32..64);
    fill(&mailbox, 64..80);
    let dropped = mailbox.take_dropped().unwrap();
    assert_eq!(dropped.count, 16);
    assert!(dropped.since >= start && dropped.until <= middle, "{dropped:?}");
}

#[test]
fn drops_the_newest_messages_and_no_reply() {
    let (mailbox, _) = overflowing(3, usize::MAX, Overflow::DropNewest);
    fill(&mailbox, 0..5);
    mailbox.push(&REPLY);
    assert!(mailbox.has_capacity());
    assert_eq!(dropped(&mailbox), 2);
    assert_eq!(drain_all(&mailbox).concat(), "0,1,2,reply");
}

#[test]
fn readers_of_a_full_mailbox_stay_away_until_it_is_half_empty() {
    let (mailbox, _) = overflowing(64, usize::MAX, Overflow::Disconnect);
    fill(&mailbox, 0..63);
    assert!(!mailbox.is_overrun());
    fill(&mailbox, 63..64);
    assert!(mailbox.is_overrun());
    while mailbox.depth().0 > 32 {
        assert!(!mailbox.has_capacity(), "{:?}", mailbox.depth());
        mailbox.drain().unwrap();
    }
    assert!(mailbox.has_capacity());
    fill(&mailbox, 0..31);
    assert!(mailbox.has_capacity(), "not full yet");
}

/// Delivers what the test wants, and counts what it discards.
#[derive(Default)]
struct Rooms {
    generation: AtomicU64,
    discarded: AtomicU64,
    wanted: std::sync::Mutex<Vec<u8>>,
}

impl Rooms {
    fn join(&self, room: u8) {
        self.wanted.lock().unwrap().push(room);
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

impl Filter for Rooms {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn decide(&self, channel: &[u8], payload: &[u8], chunk: &mut Chunk) {
        if self.wanted.lock().unwrap().contains(&channel[0]) {
            chunk.push(&args(1, std::str::from_utf8(payload).unwrap()));
        } else {
            self.discarded(1);
        }
    }

    fn discarded(&self, count: u64) {
        self.discarded.fetch_add(count, Ordering::SeqCst);
    }
}

fn with_rooms() -> (Mailbox, Count, Arc<Rooms>, Arc<dyn Filter>) {
    let (mailbox, count) = overflowing(MANY, usize::MAX, Overflow::DropOldest);
    let rooms = Arc::new(Rooms::default());
    let filter: Arc<dyn Filter> = Arc::clone(&rooms) as _;
    (mailbox, count, rooms, filter)
}

fn defer(mailbox: &Mailbox, filter: &Arc<dyn Filter>, channel: &[u8], payload: &str) {
    mailbox.defer(filter, filter.generation(), channel, payload.as_bytes());
    mailbox.wake();
}

#[test]
fn the_drain_decides_about_what_is_deferred() {
    let (mailbox, count, rooms, filter) = with_rooms();
    fill(&mailbox, 1..2);
    defer(&mailbox, &filter, b"a", "2a,");
    fill(&mailbox, 3..4);
    defer(&mailbox, &filter, b"b", "4b,");
    defer(&mailbox, &filter, b"a", "5a,");
    rooms.join(b'a');
    assert_eq!(drain_all(&mailbox).concat(), "1,2a,3,5a,");
    assert_eq!(rooms.discarded.load(Ordering::SeqCst), 1);
    assert_eq!(mailbox.depth(), (0, 0));
    assert_eq!(wakes(&count), 1);
}

#[test]
fn a_turn_without_a_join_discards_what_is_deferred() {
    let (mailbox, count, rooms, filter) = with_rooms();
    for _ in 0..3 {
        defer(&mailbox, &filter, b"a", "a,");
    }
    assert!(mailbox.drain().is_none());
    assert_eq!(rooms.discarded.load(Ordering::SeqCst), 3);
    rooms.join(b'a');
    assert!(mailbox.drain().is_none(), "it came too late");
    defer(&mailbox, &filter, b"b", "b,");
    assert_eq!(wakes(&count), 2);
}

#[test]
fn nothing_is_decided_before_the_gate_in_front_of_it_was_handled() {
    let (mailbox, _, rooms, filter) = with_rooms();
    defer(&mailbox, &filter, b"a", "1a,");
    mailbox.push(&REQUEST);
    fill(&mailbox, 2..3);
    defer(&mailbox, &filter, b"a", "3a,");
    assert_eq!(String::from_utf8(mailbox.drain().unwrap().chunk.bytes).unwrap(), "crequest,2,");
    rooms.join(b'a');
    assert_eq!(drain_all(&mailbox), ["3a,"]);
}

#[test]
fn what_is_deferred_is_bounded_and_drops_no_message() {
    let (mailbox, _, rooms, filter) = with_rooms();
    fill(&mailbox, 0..1);
    for _ in 0..20_000 {
        defer(&mailbox, &filter, b"a", "a,");
    }
    assert_eq!(rooms.discarded.load(Ordering::SeqCst), 10_000);
    let large = "x".repeat(1024 * 1024);
    assert_eq!(drain_all(&mailbox), ["0,"]);
    for _ in 0..100 {
        defer(&mailbox, &filter, b"a", &large);
        assert!(mailbox.depth().1 < 17 * 1024 * 1024);
    }
    assert_eq!(dropped(&mailbox), 0);
}
