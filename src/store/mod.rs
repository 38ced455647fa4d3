//! The store of Socket.IO 0.9: its channels, and the commands of its clients.

mod channel;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::channel::Channel;
use crate::backplane::{Backplane, DISPATCH};
use crate::delivery::Counters;
use crate::model::NodeId;
use crate::pubsub::{Consumer, Kind};
use crate::wire::store09::Shape;

/// Who takes arriving payloads apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpack {
    /// This crate; both codecs are understood.
    Native,
    /// The application's own `unpack`.
    JavaScript,
}

/// The subscriptions of one Socket.IO 0.9 server.
pub struct Store {
    backplane: Arc<Backplane>,
    node_id: NodeId,
    unpack: Unpack,
    // A plain mutex: only the event loop takes it.
    channels: Mutex<Channels>,
}

#[derive(Default)]
struct Channels {
    by_name: HashMap<String, Arc<Channel>>,
    last: u32,
}

impl Store {
    /// A store on `backplane`. `node_id` tells it its own messages.
    #[must_use]
    pub fn new(backplane: Arc<Backplane>, node_id: NodeId, unpack: Unpack) -> Self {
        Self { backplane, node_id, unpack, channels: Mutex::default() }
    }

    /// Subscribes to `name` and returns the number under which its messages come; it is never used
    /// again after an unsubscribe.
    pub fn subscribe(&self, name: &str, ticket: Option<u32>) -> u32 {
        let mut channels = self.lock();
        let channel = match channels.by_name.get(name) {
            Some(channel) => Arc::clone(channel),
            None => channels.add(name, |number| self.channel(name, number)),
        };
        let number = channel.number;
        self.backplane.subscribe(Kind::Channel, name, channel, ticket);
        number
    }

    fn channel(&self, name: &str, number: u32) -> Channel {
        Channel {
            number,
            shape: if name == DISPATCH { Shape::Dispatch } else { Shape::Any },
            node_id: self.node_id.clone(),
            raw: self.unpack == Unpack::JavaScript,
            reporter: Arc::clone(self.backplane.reporter()),
        }
    }

    /// Leaves the channel `name`.
    pub fn unsubscribe(&self, name: &str, ticket: Option<u32>) {
        let mut channels = self.lock();
        // Redis is asked even when there is nothing to leave: the caller may wait for its answer.
        let channel =
            channels.by_name.remove(name).unwrap_or_else(|| Arc::new(self.channel(name, 0)));
        let consumer: Arc<dyn Consumer> = channel;
        self.backplane.unsubscribe(Kind::Channel, name, &consumer, ticket);
    }

    /// Counts what the application's own `unpack` found out about messages handed over raw.
    pub fn unpacked(&self, delivered: u64, own: u64) {
        Counters::add(&self.backplane.counters().delivered, delivered);
        Counters::add(&self.backplane.counters().filtered_own, own);
    }

    /// Counts and tells a message on `channel` that the application's own `unpack` refused.
    pub fn malformed(&self, channel: &str) {
        self.backplane.reporter().ignore("unpack", channel.as_bytes());
    }

    fn lock(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channels {
    fn add(&mut self, name: &str, channel: impl FnOnce(u32) -> Channel) -> Arc<Channel> {
        self.last = self.last.wrapping_add(1);
        let channel = Arc::new(channel(self.last));
        self.by_name.insert(name.to_owned(), Arc::clone(&channel));
        channel
    }
}
