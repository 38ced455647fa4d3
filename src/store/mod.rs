//! The store of Socket.IO 0.9: its channels, and the commands of its clients.

mod channel;
pub(crate) mod entry;
mod message;
mod native_transports;
mod node_id;
mod publication;
pub mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub use self::entry::{ChannelEntry, Delivery};
pub use self::message::{Args, Incoming};
pub use self::node_id::NodeId;
pub(crate) use self::publication::Dispatch;

use self::channel::Channel;
use self::publication::{DISPATCH, DispatchMessage, Message, Origin};
use self::wire::{Codec, Shape};
use crate::backplane::{Backplane, Command, Request, Route};
use crate::event_loop::Counters;
use crate::pubsub::{Consumer, Kind, Need};
use crate::websocket::{Connections, Fanout};

/// What reads arriving payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpack {
    /// This crate; both codecs are understood.
    Native,
    /// The application's own `unpack`.
    JavaScript,
}

/// The subscriptions, messages and commands of one Socket.IO 0.9 server.
pub(crate) struct Store {
    backplane: Arc<Backplane>,
    node_id: NodeId,
    origin: Arc<Origin>,
    unpack: Unpack,
    longest: usize,
    fanout: Arc<OnceLock<Arc<Fanout>>>,
    // A plain mutex: only the event loop takes it.
    channels: Mutex<Channels>,
}

#[derive(Default)]
struct Channels {
    by_name: HashMap<String, Arc<Channel>>,
    last: u32,
}

impl Store {
    /// A store on `backplane`, which knows its own messages by `node_id`. A message of more than
    /// `longest` bytes is malformed.
    #[must_use]
    pub fn new(
        backplane: Arc<Backplane>,
        node_id: NodeId,
        codec: Codec,
        unpack: Unpack,
        longest: usize,
    ) -> Self {
        let origin = Arc::new(Origin { node_id: node_id.to_json(), codec });
        let (fanout, channels) = Default::default();
        Self { backplane, node_id, origin, unpack, longest, fanout, channels }
    }

    /// Publishes `args`, the JSON text of an array; with a ticket, a reply comes through the mailbox.
    pub fn publish(&self, channel: String, args: String, ticket: Option<u32>) {
        let origin = Arc::clone(&self.origin);
        self.backplane.send(Request::publish(Message { origin, channel, args }), ticket);
    }

    /// Publishes a message of the channel `dispatch`.
    pub fn dispatch(&self, dispatch: Dispatch) {
        let origin = Arc::clone(&self.origin);
        self.backplane.send(Request::publish(DispatchMessage { origin, dispatch }), None);
    }

    /// A command on the data of a client; with a ticket, a reply comes through the mailbox.
    pub fn command(&self, name: &'static str, args: Vec<Vec<u8>>, ticket: Option<u32>) {
        let command = Command { name, args, route: Route::Key, reading: None };
        self.backplane.send(Request::Command(command), ticket);
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
        self.backplane.subscribe(Kind::Channel, name, channel, Need::Required, ticket);
        number
    }

    fn channel(&self, name: &str, number: u32) -> Channel {
        Channel {
            number,
            shape: if name == DISPATCH { Shape::Dispatch } else { Shape::Any },
            node_id: self.node_id.clone(),
            raw: self.unpack == Unpack::JavaScript,
            longest: self.longest,
            events: Arc::clone(self.backplane.events()),
            fanout: Arc::clone(&self.fanout),
        }
    }

    /// The backplane that this stands on.
    #[must_use]
    pub const fn backplane(&self) -> &Arc<Backplane> {
        &self.backplane
    }

    /// Has broadcasts written to native transports from now on. The clients here, also those that
    /// JavaScript writes to, are the members of what this returns; each is in its
    /// [`own_room`](native_transports::own_room) too.
    pub fn use_web_sockets(&self, connections: &Arc<Connections>) -> &Arc<Fanout> {
        self.backplane.events().use_connections(connections);
        self.fanout.get_or_init(|| Arc::new(Fanout::new(Arc::clone(connections))))
    }

    /// Writes a broadcast of this node to the native transports. Whether JavaScript has clients to write
    /// to.
    pub fn dispatch_here(&self, room: &str, packet: &str, exceptions: &str) -> bool {
        let Some(fanout) = self.fanout.get() else { return true };
        native_transports::write(room, packet, exceptions, |broadcast| {
            fanout.write_local(broadcast).javascript
        })
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
