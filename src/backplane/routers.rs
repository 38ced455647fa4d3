//! Which requests go to the nodes of clusters that own their slots.

use std::sync::Arc;

use super::request::{Command, Request, Route};
use super::router::Router;

/// What brings requests to the nodes of clusters.
pub(super) struct Routers {
    /// Those for the servers that messages are published on.
    pub(super) publisher: Option<Arc<Router>>,
    /// Those for data.
    pub(super) commander: Option<Arc<Router>>,
}

impl Routers {
    /// The one that brings a request to its node; nothing where the request goes through an outbox.
    pub(super) fn of(&self, request: &Request) -> Option<&Arc<Router>> {
        match request {
            Request::PublishSharded(_)
            | Request::Command(Command { route: Route::Publisher, .. }) => self.publisher.as_ref(),
            Request::Beat(beat) if beat.is_sharded() => self.publisher.as_ref(),
            Request::Add(_) | Request::Command(Command { route: Route::Key, .. }) => {
                self.commander.as_ref()
            }
            // The nodes pass these on to each other: any of them will do.
            Request::Publish(_) | Request::Beat(_) => None,
        }
    }

    /// That of what is published, and that of commands where it is another one.
    pub(super) fn each(&self) -> (Option<&Arc<Router>>, Option<&Arc<Router>>) {
        let (publisher, commander) = (self.publisher.as_ref(), self.commander.as_ref());
        let is_other = |router: &&Arc<Router>| {
            publisher.is_none_or(|publisher| !Arc::ptr_eq(publisher, router))
        };
        (publisher, commander.filter(is_other))
    }
}
