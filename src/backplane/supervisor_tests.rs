//! What becomes of a task that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::{Duration, Instant};

use super::super::link_events::LinkStatus;
use super::super::testing::Inbox;
use super::supervise;
use crate::event_loop::Counters;

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_reported_counted_and_started_again_with_pauses() {
    const PANICS: u32 = 10;
    let mut inbox = Inbox::new();
    let starts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&starts);
    let since = Instant::now();
    supervise(inbox.link(), "test", move || {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        async move { assert!(number >= PANICS, "as the test wants") }
    })
    .await;
    assert_eq!(starts.load(Ordering::Relaxed), PANICS + 1);
    assert!(since.elapsed() >= Duration::from_secs(2), "{:?}", since.elapsed());
    // One kind is reported once a minute.
    assert_eq!(inbox.unseen(), ["error ERR_INTERNAL"]);
    assert_eq!(Counters::read(&inbox.events.counters().internal_errors), u64::from(PANICS));
    assert_eq!(inbox.link().events.links.publisher.name(), "connecting");
}

#[tokio::test(start_paused = true)]
async fn the_connection_of_a_task_that_panics_is_lost() {
    let mut inbox = Inbox::new();
    inbox.link().status(LinkStatus::Connected);
    let (link, starts) = (inbox.link(), AtomicU32::new(0));
    supervise(inbox.link(), "test", || {
        let number = starts.fetch_add(1, Ordering::Relaxed);
        let link = link.clone();
        async move {
            assert!(number > 0, "as the test wants");
            link.status(LinkStatus::Connected);
        }
    })
    .await;
    assert_eq!(inbox.unseen(), ["connect", "error ERR_INTERNAL", "disconnect", "connect"]);
    assert_eq!(Counters::read(&inbox.events.counters().reconnects), 1);
}
