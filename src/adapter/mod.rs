//! The adapter of Socket.IO 4: namespaces on one backplane, on one of the two wires of
//! `@socket.io/redis-adapter`.

mod broadcast;
mod channels;
pub(crate) mod entry;
mod local_rooms;
mod namespace;
mod native_sockets;
mod own_entries;
pub mod packet;
mod recent_joins;
mod recovery;
mod room_names;
mod socket_rooms;
mod subscriptions;
pub mod wire;

pub(crate) use self::broadcast::{Outgoing, Target};
pub(crate) use self::channels::Channels;
pub use self::entry::{Payload, payload_kind};
pub(crate) use self::subscriptions::Mode;
pub(crate) use self::wire::{Limits, Wire};

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) use self::broadcast::EntryData;
use self::broadcast::{
    Origin, OutgoingBroadcast, OutgoingEntry, OutgoingRequest, PackedBroadcast, StreamOf,
};
use self::namespace::Namespace;
use self::recent_joins::RecentJoins;
use self::recovery::{Page, Stretch, Ticket};
use self::subscriptions::Subscribed;
use crate::backplane::{Backplane, Command, Packed, Request, Route, Streams};
use crate::event_loop::Outcome;
use crate::pubsub::{Consumer, Need};
use crate::streams::{Id, ReadOptions};
use crate::websocket::{Connections, Fanout};

/// What a namespace is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    /// The namespace's name.
    pub nsp: String,
    /// What marks this server's messages.
    pub uid: String,
    /// The channels.
    pub channels: Channels,
    /// Which channels are subscribed to.
    pub mode: Mode,
    /// Whether broadcasts are handed over as they are, for a parser of the application's own.
    pub raw: bool,
    /// The name of the stream that its broadcasts are entries of, where there are streams.
    pub stream: Option<String>,
    /// Whether packets get the ids of their entries, by which clients recover what they have missed.
    pub recovers: bool,
    /// What one message may hold.
    pub limits: Limits,
    /// How long a server may take to do what it is asked for.
    pub requests_timeout: Duration,
    /// Whether this is no server: it hears nothing but responses, once their subscriptions are confirmed.
    pub emitter: bool,
}

/// Ignores what is published on a channel that is a mark.
struct Mark;

impl Consumer for Mark {
    fn message(&self, _: &[u8], _: &[u8]) {}
}

/// The namespaces of the servers that share a backplane.
pub(crate) struct Adapter {
    backplane: Arc<Backplane>,
    wire: Wire,
    streams: Option<(Arc<Streams>, u64)>,
    marks: Arc<dyn Consumer>,
    // A plain mutex: only the event loop takes it.
    namespaces: Mutex<Namespaces>,
}

/// The number of the namespace opened last. Of the process, since several adapters may share what is
/// delivered to JavaScript.
static LAST: AtomicU32 = AtomicU32::new(0);

#[derive(Default)]
struct Namespaces {
    by_number: HashMap<u32, Subscribed>,
}

impl Adapter {
    /// An adapter without namespaces.
    #[must_use]
    pub fn new(backplane: Arc<Backplane>, wire: Wire) -> Self {
        Self { backplane, wire, streams: None, marks: Arc::new(Mark), namespaces: Mutex::default() }
    }

    /// An adapter whose broadcasts are entries of streams, which keep about `max_len` each.
    #[must_use]
    pub fn on_streams(
        backplane: Arc<Backplane>,
        sharded: bool,
        names: Vec<String>,
        max_len: u64,
        options: ReadOptions,
    ) -> Self {
        let streams = backplane.read_streams(names, options);
        Self {
            streams: Some((streams, max_len)),
            ..Self::new(backplane, Wire::Streams { sharded })
        }
    }

    /// Opens a namespace: subscribes to its channels. Returns the number by which it goes.
    pub fn open(&self, opening: Opening) -> u32 {
        if !opening.emitter {
            self.backplane.serve(opening.channels.requests.clone(), opening.uid.clone());
        }
        self.change(|namespaces| {
            let number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            let Opening {
                nsp, uid, channels, mode, raw, limits, requests_timeout, emitter, ..
            } = opening;
            let stream = opening.stream.zip(self.streams.as_ref()).map(|(name, (_, max_len))| {
                StreamOf { name, max_len: *max_len, recovers: opening.recovers }
            });
            let channel = channels.broadcasts.clone();
            let wire = self.wire;
            let recent_joins =
                (mode != Mode::Pattern).then(|| RecentJoins::new(requests_timeout, wire));
            let origin =
                Arc::new(Origin { uid, nsp, channel, wire, mode, stream, emitter, recent_joins });
            let events = Arc::clone(self.backplane.events());
            let namespace = Arc::new(Namespace::new(number, origin, raw, limits, events));
            let backplane = Arc::clone(&self.backplane);
            let streams = self.streams.as_ref().filter(|_| !emitter);
            let streams = streams.map(|(streams, _)| Arc::clone(streams));
            if let Some(streams) = streams.as_ref().filter(|_| opening.recovers) {
                streams.recent().keep();
            }
            let subscribed =
                Subscribed::new(backplane, namespace, mode, channels, streams, emitter);
            namespaces.by_number.insert(number, subscribed);
            number
        })
    }

    /// Subscribes to a channel that nothing is published on: that somebody is subscribed to it tells
    /// other servers something. A user limited to the official channels does without.
    pub fn mark(&self, channel: &str) {
        let (mark, need) = (Arc::clone(&self.marks), Need::Optional);
        self.backplane.subscribe(self.wire.kind(), channel, mark, need, None);
    }

    /// Leaves such a channel.
    pub fn unmark(&self, channel: &str) {
        self.backplane.unsubscribe(self.wire.kind(), channel, &self.marks, None);
    }

    /// Closes a namespace: leaves all its channels.
    pub fn close(&self, number: u32) {
        // Dropped outside of the lock.
        let closed = self.change(|namespaces| namespaces.by_number.remove(&number));
        if let Some(subscribed) = &closed {
            let (channel, uid) = subscribed.member();
            self.backplane.serve_no_more(channel, uid);
        }
        drop(closed);
    }

    /// The first socket has joined each of `added` and the last has left each of `removed`. With a
    /// ticket, a reply comes once the subscription that the room needs, if any, is confirmed.
    pub fn change_rooms(&self, number: u32, added: &[(String, Option<u32>)], removed: &[String]) {
        self.change(|namespaces| {
            match namespaces.by_number.get(&number) {
                Some(subscribed) => subscribed.change_rooms(added, removed),
                // It is closed: there is nothing to wait for.
                None => added.iter().for_each(|(_, ticket)| {
                    self.backplane.events().settle(ticket.as_slice());
                }),
            }
        });
    }

    /// Asks Redis again for each subscription that the namespace cannot do without. A reply comes
    /// under each ticket, also where there are fewer subscriptions.
    pub fn confirm(&self, number: u32, tickets: &[u32]) {
        self.change(|namespaces| match namespaces.by_number.get(&number) {
            Some(subscribed) => subscribed.confirm(tickets),
            None => self.backplane.events().settle(tickets),
        });
    }

    /// This server waits for responses, or does not any more; those that arrive meanwhile are to
    /// other servers.
    pub fn await_responses(&self, number: u32, awaits: bool) {
        self.change(|namespaces| {
            if let Some(subscribed) = namespaces.by_number.get(&number) {
                subscribed.await_responses(awaits);
            }
        });
    }

    /// The backplane that this stands on.
    #[must_use]
    pub const fn backplane(&self) -> &Arc<Backplane> {
        &self.backplane
    }

    /// Has broadcasts of a namespace written to native sockets from now on; its sockets are the members of
    /// what this returns.
    pub fn use_web_sockets(
        &self,
        number: u32,
        connections: &Arc<Connections>,
    ) -> Option<Arc<Fanout>> {
        let namespace = self.namespace(number)?;
        self.backplane.events().use_connections(connections);
        let fanout = || Arc::new(Fanout::new(Arc::clone(connections)));
        Some(Arc::clone(namespace.fanout.get_or_init(fanout)))
    }

    /// Publishes a broadcast, and writes it to the native sockets here. Whether JavaScript has sockets
    /// to write to.
    pub fn broadcast(&self, number: u32, outgoing: Outgoing) -> bool {
        let Some(namespace) = self.namespace(number) else { return true };
        let has_others = namespace.write_local(&outgoing);
        let origin = Arc::clone(&namespace.origin);
        let request = if origin.stream.is_some() {
            Request::add(OutgoingEntry {
                origin,
                data: EntryData::Broadcast(outgoing),
                comes_back: None,
            })
        } else {
            self.wire.publish(OutgoingBroadcast { origin, outgoing })
        };
        self.backplane.send(request, None);
        has_others
    }

    /// Adds an entry to the stream of a namespace. With a ticket, its id is the reply, and it comes back to
    /// this server too.
    pub fn add(&self, number: u32, data: EntryData, ticket: Option<u32>) {
        match self.origin(number) {
            Some(origin) => {
                self.backplane
                    .send(Request::add(OutgoingEntry { origin, data, comes_back: ticket }), ticket);
            }
            None => self.backplane.events().settle(ticket.as_slice()),
        }
    }

    /// Whether what was added under this ticket, and may not have been, is to be handled now: see
    /// [`own_entries::OwnEntries::give_up`].
    pub fn give_up(&self, number: u32, ticket: u32) -> bool {
        self.namespace(number).is_none_or(|namespace| namespace.own_entries.give_up(ticket))
    }

    /// Reads the stream of a namespace behind an entry for a session, in as many pages as there are pairs of
    /// tickets: see [`recovery::Page`].
    pub fn missed(&self, number: u32, behind: &str, rooms: &str, tickets: &[u32]) {
        let events = self.backplane.events();
        let ticket = |number: &u32| Ticket::new(events, *number);
        let pages = tickets.chunks_exact(2).filter_map(|pair| match pair {
            [head, packets] => Some(Page { head: ticket(head), packets: ticket(packets) }),
            _ => None,
        });
        let pages = pages.collect();
        if let (Some(namespace), Some((streams, _)), Some(behind)) =
            (self.namespace(number), &self.streams, Id::parse(behind.as_bytes()))
        {
            let of = (&namespace.origin, namespace.limits);
            Stretch::new(of, (&self.backplane, streams), rooms, pages).read(behind);
        }
    }

    /// Has nothing of the stream of a namespace be handed out: see [`Streams::hold`].
    pub fn hold(&self, number: u32, ticket: u32) {
        match (&self.streams, self.stream_of(number)) {
            (Some((streams, _)), Some(stream)) => streams.hold(&stream, ticket),
            _ => self.backplane.events().settle(&[ticket]),
        }
    }

    /// Takes one [`Self::hold`] of a stream back.
    pub fn release(&self, stream: &str) {
        self.streams.iter().for_each(|(streams, _)| streams.release(stream));
    }

    fn stream_of(&self, number: u32) -> Option<String> {
        Some(self.origin(number)?.stream.as_ref()?.name.clone())
    }

    /// Asks whether the stream of a namespace still has an entry: a list that is empty if not.
    pub fn has_entry(&self, number: u32, id: String, ticket: u32) {
        let (events, read) = (self.backplane.events(), Id::parse(id.as_bytes()));
        match (self.stream_of(number), &self.streams) {
            (Some(name), Some((streams, _)))
                if read.is_some_and(|id| streams.recent().has(&name, id)) =>
            {
                events.reply(ticket, Outcome::List("[true]"));
            }
            (Some(name), _) => self.command("XRANGE", vec![name, id.clone(), id], Some(ticket)),
            (None, _) => events.settle(&[ticket]),
        }
    }

    /// Sends a command about data.
    pub fn command(&self, name: &'static str, args: Vec<String>, ticket: Option<u32>) {
        let args = args.into_iter().map(String::into_bytes).collect();
        let command = Command { name, args, route: Route::Key, reading: None };
        self.backplane.send(Request::Command(command), ticket);
    }

    /// Writes a broadcast to the native sockets here alone. Whether JavaScript has sockets to write to.
    pub fn broadcast_here(&self, number: u32, outgoing: &Outgoing) -> bool {
        self.namespace(number).is_none_or(|namespace| namespace.write_local(outgoing))
    }

    /// Publishes a broadcast that a parser of the application's own has encoded.
    pub fn broadcast_packed(&self, number: u32, room: Option<String>, payload: Vec<u8>) {
        let Some(origin) = self.origin(number) else { return };
        if origin.stream.is_some() {
            return self.add(number, EntryData::Ready(wire::streams::BROADCAST, payload), None);
        }
        let broadcast = PackedBroadcast { origin, room, payload };
        self.backplane.send(self.wire.publish(broadcast), None);
    }

    /// Publishes a request to other servers.
    pub fn request(&self, number: u32, channel: String, payload: Vec<u8>) {
        if let Some(origin) = self.origin(number) {
            let request = OutgoingRequest { origin, channel, payload };
            self.backplane.send(self.wire.publish(request), None);
        }
    }

    /// Publishes a response to a request.
    pub fn respond(&self, channel: String, payload: Vec<u8>) {
        self.backplane.send(self.wire.publish(Packed { channel, payload }), None);
    }

    fn namespace(&self, number: u32) -> Option<Arc<Namespace>> {
        self.change(|namespaces| {
            namespaces.by_number.get(&number).map(|subscribed| Arc::clone(subscribed.namespace()))
        })
    }

    fn origin(&self, number: u32) -> Option<Arc<Origin>> {
        Some(Arc::clone(&self.namespace(number)?.origin))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Namespaces) -> T) -> T {
        change(&mut self.namespaces.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod model;
