//! Keeps a task running.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::time::sleep;

use super::link_events::LinkEvents;
use crate::connection::Backoff;
use crate::error::panic_reason;

/// Runs what `start` gives until it ends. A panic is reported, and it is started again after a
/// pause.
pub(super) async fn supervise<F: Future<Output = ()>>(
    link: LinkEvents,
    task: &'static str,
    start: impl Fn() -> F,
) {
    let mut backoff = Backoff::new();
    while let Err(panic) = AssertUnwindSafe(start()).catch_unwind().await {
        link.task_panicked(task, panic_reason(&*panic));
        sleep(backoff.next_pause().1).await;
    }
}

#[cfg(test)]
#[path = "supervisor_tests.rs"]
mod tests;
