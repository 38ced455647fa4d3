//! Connections to whichever node owns a slot.

use std::sync::Arc;

use super::{Cluster, slot_of};
use crate::connection::connector::{Connector, Opened, Patience};
use crate::connection::greeting::Purpose;
use crate::connection::stream::Stream;
use crate::error::Result;

/// Opens connections to the node that owns the slot of a key.
pub struct Owner {
    cluster: Arc<Cluster>,
    slot: u16,
}

impl Owner {
    /// The owner of this key's slot.
    #[must_use]
    pub fn new(cluster: Arc<Cluster>, key: &str) -> Self {
        Self { cluster, slot: slot_of(key.as_bytes()) }
    }
}

impl Connector for Owner {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        let Self { cluster, slot } = self;
        cluster.known().await?;
        // A connection that was refused a command was refused it by who does not own the slot any more.
        cluster.look();
        let map = cluster.map();
        let Some(owner) = map.owner(*slot) else {
            return Err(cluster.cannot_connect(format!("no node owns slot {slot}")));
        };
        cluster.followed(cluster.server(owner).connect(purpose, patience).await)
    }

    async fn moved(&self, endpoint: &str) -> String {
        let mut changes = self.cluster.changes();
        let is_owner = |map: &super::SlotMap| {
            map.owner(self.slot).is_some_and(|owner| owner.to_string() == endpoint)
        };
        while is_owner(&self.cluster.map()) {
            changes.next().await;
        }
        "the slot of its stream has another owner".to_owned()
    }
}
