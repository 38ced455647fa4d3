//! Which channels a namespace is subscribed to.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use super::broadcast::Origin;
use super::channels::Channels;
use super::entry::payload_kind;
use super::namespace::{Broadcasts, Namespace, Requests};
use super::socket_rooms::SocketRooms;
use super::wire::Wire;
use crate::backplane::{Backplane, Streams};
use crate::pubsub::{Consumer, Kind, Need};
use crate::streams::EntryConsumer;

/// Which channels of broadcasts a namespace is subscribed to (the option `subscriptionMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All, by one pattern, as `createAdapter` of `@socket.io/redis-adapter` does. Where channels belong to
    /// shards there are no patterns: there it is the namespace's alone, on which all is published
    /// (`static`).
    Pattern,
    /// The namespace's, and one for each room that has a socket here. The rooms that sockets have
    /// under their ids come and go with every connection, so those share one pattern; where Redis
    /// refuses that, they have channels as all others.
    Dynamic,
    /// The same, with a channel for the id of each socket too.
    DynamicPrivate,
}

/// The length of a socket's id.
const ID_LENGTH: usize = 20;

impl Wire {
    /// What its channels are.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Classic | Self::Streams { sharded: false } => Kind::Channel,
            Self::Sharded | Self::Streams { sharded: true } => Kind::Sharded,
        }
    }

    /// Whether a room's name is as long as the id of a socket: to Redis, whose patterns know bytes, or to
    /// JavaScript.
    pub(super) fn is_id(self, room: &str) -> bool {
        match self {
            Self::Classic => room.len() == ID_LENGTH,
            Self::Sharded | Self::Streams { .. } => room.encode_utf16().count() == ID_LENGTH,
        }
    }
}

/// A namespace and its subscriptions, which end with it.
pub(super) struct Subscribed {
    backplane: Arc<Backplane>,
    namespace: Arc<Namespace>,
    mode: Mode,
    broadcasts: Arc<dyn Consumer>,
    // Where they share a pattern.
    socket_rooms: Option<Arc<SocketRooms>>,
    fixed: Vec<Fixed>,
    // The channel of requests.
    requests: String,
    // The streams, and what gets the entries of one.
    streams: Option<(Arc<Streams>, Arc<dyn EntryConsumer>)>,
}

impl Subscribed {
    /// An `emitter` is subscribed to nothing until [`Self::confirm`], and then to responses alone: whoever
    /// hears requests counts as a server.
    pub(super) fn new(
        backplane: Arc<Backplane>,
        namespace: Arc<Namespace>,
        mode: Mode,
        channels: Channels,
        streams: Option<Arc<Streams>>,
        emitter: bool,
    ) -> Self {
        let broadcasts = Arc::new(Broadcasts::new(Arc::clone(&namespace)));
        let entries: Arc<dyn EntryConsumer> = Arc::clone(&broadcasts) as _;
        let streams = streams.map(|streams| (streams, entries));
        if let Some((streams, entries)) = &streams {
            streams.consume(&namespace.origin.nsp, entries);
        }
        let broadcasts: Arc<dyn Consumer> = broadcasts;
        let requests = channels.requests.clone();
        let share = mode == Mode::Dynamic && namespace.origin.wire == Wire::Classic && !emitter;
        let socket_rooms =
            share.then(|| Arc::new(SocketRooms::new(&backplane, &namespace, &broadcasts)));
        let fixed = if emitter {
            responses(&namespace, channels)
        } else {
            fixed(&namespace, mode, channels, &broadcasts, socket_rooms.as_ref())
        };
        for Fixed { kind, name, consumer, need } in fixed.iter().filter(|_| !emitter) {
            backplane.subscribe(*kind, name, Arc::clone(consumer), *need, None);
        }
        Self { backplane, namespace, mode, broadcasts, socket_rooms, fixed, requests, streams }
    }

    /// How other servers know this namespace of this server: by its channel of requests and its uid.
    pub(super) fn member(&self) -> (String, String) {
        (self.requests.clone(), self.origin().uid.clone())
    }

    pub(super) const fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    pub(super) fn origin(&self) -> &Arc<Origin> {
        &self.namespace.origin
    }

    /// This server waits for responses, or does not any more.
    pub(super) fn await_responses(&self, awaits: bool) {
        self.namespace.awaits_responses.store(awaits, Ordering::Release);
    }

    /// Asks Redis again for each subscription that the namespace cannot do without, of which there
    /// are at most as many as tickets. A reply comes under each ticket.
    pub(super) fn confirm(&self, tickets: &[u32]) {
        let mut tickets = tickets;
        if let (Some((streams, _)), Some(stream)) = (&self.streams, &self.origin().stream)
            && let Some((first, rest)) = tickets.split_first()
        {
            streams.confirm(&stream.name, *first);
            tickets = rest;
        }
        let guard = self.hold_rooms();
        let apart = guard.as_deref() == Some(&true);
        let mut required = self.fixed.iter().filter(|fixed| fixed.is_required(apart));
        for ticket in tickets {
            match required.next() {
                Some(Fixed { kind, name, consumer, need }) => {
                    let (consumer, ticket) = (Arc::clone(consumer), Some(*ticket));
                    self.backplane.subscribe(*kind, name, consumer, *need, ticket);
                }
                None => self.backplane.events().settle(&[*ticket]),
            }
        }
    }

    /// The first socket has joined each of `added` and the last has left each of `removed`. With a
    /// ticket, a reply comes once the subscription that the room needs, if any, is confirmed.
    pub(super) fn change_rooms(&self, added: &[(String, Option<u32>)], removed: &[String]) {
        let guard = self.hold_rooms();
        let apart = guard.as_deref() == Some(&true);
        for (room, ticket) in added {
            self.namespace.rooms.add(room);
            match self.channel(room, apart) {
                Some(name) => {
                    let consumer = Arc::clone(&self.broadcasts);
                    let need = Need::Required;
                    self.backplane.subscribe(self.kind(), &name, consumer, need, *ticket);
                }
                None => self.backplane.events().settle(ticket.as_slice()),
            }
        }
        for room in removed {
            if self.namespace.rooms.remove(room) {
                self.leave(room, apart);
            }
        }
    }

    /// Whether the rooms of sockets have channels of their own, for as long as this is held; `None` where that
    /// does not change.
    fn hold_rooms(&self) -> Option<MutexGuard<'_, bool>> {
        self.socket_rooms.as_ref().map(|rooms| rooms.are_apart())
    }

    fn leave(&self, room: &str, apart: bool) {
        if let Some(name) = self.channel(room, apart) {
            self.backplane.unsubscribe(self.kind(), &name, &self.broadcasts, None);
        }
    }

    fn kind(&self) -> Kind {
        self.origin().wire.kind()
    }

    /// The channel that a room needs for itself. Official servers publish on that of the id of a client of
    /// Engine.IO 3 in a namespace, which is longer than other ids.
    fn channel(&self, room: &str, apart: bool) -> Option<String> {
        let own = match self.mode {
            Mode::Pattern => false,
            Mode::Dynamic => apart || !self.origin().wire.is_id(room),
            Mode::DynamicPrivate => true,
        };
        own.then(|| self.origin().room_channel(room))
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        if let Some((streams, entries)) = &self.streams {
            streams.forget(&self.origin().nsp, entries);
        }
        let mut guard = self.hold_rooms();
        let was_apart = guard.as_deref() == Some(&true);
        self.namespace.rooms.names().iter().for_each(|room| self.leave(room, was_apart));
        // A refusal that comes now changes nothing.
        if let Some(apart) = guard.as_deref_mut() {
            *apart = true;
        }
        // What still waits is for nobody.
        self.namespace.fanout.get().into_iter().for_each(|fanout| fanout.clear());
        for Fixed { kind, name, consumer, need } in &self.fixed {
            if !(was_apart && *need == Need::Replaceable) {
                self.backplane.unsubscribe(*kind, name, consumer, None);
            }
        }
    }
}

/// A subscription that does not depend on rooms.
struct Fixed {
    kind: Kind,
    name: String,
    consumer: Arc<dyn Consumer>,
    need: Need,
}

/// What carries responses to an emitter. Classic servers before 7.1 respond to all alone.
fn responses(namespace: &Arc<Namespace>, channels: Channels) -> Vec<Fixed> {
    let wire = namespace.origin.wire;
    let all = (wire == Wire::Classic).then_some(channels.responses);
    let names = all.into_iter().chain([channels.own_responses]);
    let (namespace, kind) = (Arc::clone(namespace), payload_kind::RESPONSE);
    let consumer: Arc<dyn Consumer> = Arc::new(Requests { namespace, kind });
    let fixed = |name| Fixed {
        kind: wire.kind(),
        name,
        consumer: Arc::clone(&consumer),
        need: Need::Required,
    };
    names.map(fixed).collect()
}

impl Fixed {
    /// Whether nothing works without it, `apart` from what Redis has refused.
    fn is_required(&self, apart: bool) -> bool {
        match self.need {
            Need::Required => true,
            Need::Replaceable => !apart,
            Need::Optional => false,
        }
    }
}

fn fixed(
    namespace: &Arc<Namespace>,
    mode: Mode,
    channels: Channels,
    broadcasts: &Arc<dyn Consumer>,
    socket_rooms: Option<&Arc<SocketRooms>>,
) -> Vec<Fixed> {
    let consumer = |kind| -> Arc<dyn Consumer> {
        Arc::new(Requests { namespace: Arc::clone(namespace), kind })
    };
    let pattern = |name, consumer, need| Fixed { kind: Kind::Pattern, name, consumer, need };
    let wire = namespace.origin.wire;
    let channel = |name, consumer: &Arc<dyn Consumer>, need| Fixed {
        kind: wire.kind(),
        name,
        consumer: Arc::clone(consumer),
        need,
    };
    let requests = consumer(payload_kind::REQUEST);
    let responses = consumer(payload_kind::RESPONSE);
    if wire != Wire::Classic {
        return vec![
            channel(channels.native_requests, &requests, Need::Optional),
            channel(channels.own_responses, &responses, Need::Required),
            // The last, since it is what others count. It carries requests too.
            channel(channels.broadcasts, broadcasts, Need::Required),
        ];
    }
    let mut all = Vec::new();
    if mode == Mode::Pattern {
        all.push(pattern(channels.all_broadcasts, Arc::clone(broadcasts), Need::Required));
    }
    if let Some(rooms) = socket_rooms {
        let rooms: Arc<dyn Consumer> = Arc::clone(rooms) as _;
        all.push(pattern(channels.socket_broadcasts, rooms, Need::Replaceable));
    }
    if mode != Mode::Pattern {
        all.push(channel(channels.broadcasts, broadcasts, Need::Required));
    }
    all.extend([
        // A user limited to the official channels does without this one.
        channel(channels.native_requests, &requests, Need::Optional),
        channel(channels.responses, &responses, Need::Required),
        channel(channels.own_responses, &responses, Need::Required),
        // The last, since it is what others count.
        channel(channels.requests, &requests, Need::Required),
    ]);
    all
}
