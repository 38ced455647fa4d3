//! What runs for a backplane, and how that ends.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::event_sink::EventSink;
use super::router::Router;
use super::shards::Shards;
use super::writer::Writer;
use crate::event_loop::Event;

/// The tasks of a backplane.
#[derive(Default)]
pub(super) struct Tasks {
    pub(super) session: Option<JoinHandle<()>>,
    pub(super) writers: Vec<(Arc<Writer>, JoinHandle<()>)>,
    pub(super) routers: Vec<(Arc<Router>, JoinHandle<()>)>,
    pub(super) shards: Option<(Arc<Shards>, JoinHandle<()>)>,
    pub(super) heartbeat: Option<JoinHandle<()>>,
    pub(super) streams: Vec<JoinHandle<()>>,
}

impl Tasks {
    /// They take nothing more.
    pub(super) fn accept_no_more(&self) {
        self.writers.iter().for_each(|(writer, _)| writer.outbox.close());
        self.routers.iter().for_each(|(router, _)| router.close());
        self.shards.iter().for_each(|(shards, _)| shards.close());
    }

    /// Ends them, once what is queued has left, or at the deadline. Then emits [`Event::Close`].
    pub(super) async fn shut_down(self, events: &EventSink, deadline: Instant) {
        let mut clusters = Vec::new();
        for task in self.streams.into_iter().chain(self.heartbeat) {
            end(task).await;
        }
        if let Some((shards, task)) = self.shards {
            end(task).await;
            shards.finish().await;
            clusters.push(Arc::clone(shards.cluster()));
        }
        if let Some(session) = self.session {
            // It may be at work on another thread, and answers what is left when it goes.
            end(session).await;
        }
        for (router, task) in self.routers {
            router.finish(deadline).await;
            task.abort();
            clusters.push(Arc::clone(router.cluster()));
        }
        for (writer, mut task) in self.writers {
            if timeout_at(deadline, &mut task).await.is_err() {
                // Once it is gone, all that it had under way is back in the outbox or counted.
                end(task).await;
            }
            writer.abandon();
        }
        for cluster in clusters {
            cluster.close();
        }
        events.links.closed();
        events.emit(&Event::Close);
    }

    /// Ends them at once.
    pub(super) fn abort(&self) {
        self.session
            .iter()
            .chain(self.writers.iter().map(|(_, task)| task))
            .chain(self.routers.iter().map(|(_, task)| task))
            .chain(self.shards.iter().map(|(_, task)| task))
            .chain(&self.streams)
            .chain(&self.heartbeat)
            .for_each(JoinHandle::abort);
    }
}

async fn end(task: JoinHandle<()>) {
    task.abort();
    let _ = task.await;
}
