//! A place whose connections can be had to look for it anew.

use std::sync::Arc;
use std::time::SystemTime;

use super::event_sink::EventSink;
use crate::connection::{Connector, Opened, Patience, Place, Purpose};
use crate::error::Result;

/// Ends its connections when it is notified, so that name or topology are looked up again.
pub(super) struct Steered {
    place: Place,
    events: Arc<EventSink>,
}

impl Steered {
    pub(super) const fn new(place: Place, events: Arc<EventSink>) -> Self {
        Self { place, events }
    }
}

impl Connector for Steered {
    type Stream = <Place as Connector>::Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Self::Stream>> {
        self.place.connect(purpose, patience).await
    }

    async fn moved(&self, endpoint: &str) -> String {
        tokio::select! {
            reason = self.place.moved(endpoint) => reason,
            () = self.events.anew.notified() => "its server is looked for anew".to_owned(),
        }
    }

    async fn elsewhere(&self) {
        self.place.elsewhere().await;
    }

    fn confirmed(&self, endpoint: &str) -> Option<SystemTime> {
        self.place.confirmed(endpoint)
    }
}
