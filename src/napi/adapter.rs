//! `NativeAdapter`: the class behind `lib/adapter`.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;

use super::adapter_options::{AdapterWire, NativeOpening, NativeStreams};
use super::backplane::NativeBackplane;
use super::fanout::NativeFanout;
use super::options::to_usize;
use super::websocket::NativeWebSockets;
use super::{bytes_of, waits};
use crate::adapter::{Adapter, EntryData, Outgoing, Target, Wire};

/// The type of a broadcast.
const BROADCAST: u32 = 3;

/// The namespaces of a Socket.IO 4 server.
#[napi]
pub struct NativeAdapter {
    adapter: Adapter,
}

#[napi]
impl NativeAdapter {
    /// Makes an adapter without namespaces on a backplane.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        backplane: &NativeBackplane,
        wire: AdapterWire,
        streams: Option<NativeStreams>,
    ) -> Self {
        let backplane = Arc::clone(&backplane.backplane);
        let adapter = match (wire, streams) {
            (AdapterWire::Streams, Some(streams)) => {
                let (options, max_len) = ((&streams).into(), to_usize(streams.max_len) as u64);
                Adapter::on_streams(backplane, streams.sharded, streams.names, max_len, options)
            }
            (AdapterWire::Classic, _) => Adapter::new(backplane, Wire::Classic),
            (AdapterWire::Sharded | AdapterWire::Streams, _) => {
                Adapter::new(backplane, Wire::Sharded)
            }
        };
        Self { adapter }
    }

    /// Opens a namespace; returns the number by which it goes.
    #[napi(catch_unwind)]
    pub fn open_namespace(&self, opening: NativeOpening) -> u32 {
        self.adapter.open(opening.into())
    }

    /// Subscribes to a channel that nothing is published on, by which other servers see something.
    #[napi(catch_unwind)]
    pub fn mark(&self, channel: String) {
        self.adapter.mark(&channel);
    }

    /// Leaves such a channel.
    #[napi(catch_unwind)]
    pub fn unmark(&self, channel: String) {
        self.adapter.unmark(&channel);
    }

    /// Closes a namespace.
    #[napi(catch_unwind)]
    pub fn close_namespace(&self, namespace: u32) {
        self.adapter.close(namespace);
    }

    /// Reports which rooms have got their first socket here and which have lost their last one. The
    /// subscription of each of `added` is confirmed under the ticket at its place.
    #[napi(catch_unwind)]
    pub fn change_rooms(
        &self,
        namespace: u32,
        added: Vec<String>,
        removed: Vec<String>,
        tickets: Vec<u32>,
    ) {
        let tickets = tickets.into_iter().map(waits).chain(std::iter::repeat(None));
        let added: Vec<_> = added.into_iter().zip(tickets).collect();
        self.adapter.change_rooms(namespace, &added, &removed);
    }

    /// Asks Redis again for each subscription that the namespace cannot do without; each is confirmed
    /// or refused under a ticket of its own. Tickets that are left over are confirmed at once.
    #[napi(catch_unwind)]
    pub fn confirm_subscriptions(&self, namespace: u32, tickets: Vec<u32>) {
        self.adapter.confirm(namespace, &tickets);
    }

    /// Whether this server waits for responses: while it does not, those that arrive are dropped.
    #[napi(catch_unwind)]
    pub fn await_responses(&self, namespace: u32, awaits: bool) {
        self.adapter.await_responses(namespace, awaits);
    }

    /// Has broadcasts of a namespace written to native sockets from now on; its sockets are the members of
    /// what this returns. A room goes by its string, with `\0` before it if it begins with that; the room of
    /// a number by `\0` and its text. Rooms that are neither must not be reported. Nothing where the
    /// namespace is closed.
    #[napi(catch_unwind)]
    pub fn use_web_sockets(
        &self,
        namespace: u32,
        sockets: &NativeWebSockets,
    ) -> Option<NativeFanout> {
        let fanout = self.adapter.use_web_sockets(namespace, &sockets.connections)?;
        Some(NativeFanout { fanout, backplane: Arc::clone(self.adapter.backplane()) })
    }

    /// Publishes a packet for one room, or for all when `room` is empty, without exceptions and flags; and
    /// writes it to the native sockets here, once these are flushed. Returns whether there may be others.
    #[napi(catch_unwind)]
    pub fn broadcast(&self, namespace: u32, room: String, text: String) -> bool {
        self.adapter.broadcast(namespace, Outgoing::simple(room, text))
    }

    /// Publishes packets. `burst`: for each its room, or nothing for all, and its text, both with a NUL
    /// behind it.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi owns strings")]
    pub fn broadcast_burst(&self, namespace: u32, burst: String) {
        let mut parts = burst.split('\0');
        while let (Some(room), Some(text)) = (parts.next(), parts.next()) {
            self.adapter.broadcast(namespace, Outgoing::simple(room.to_owned(), text.to_owned()));
        }
    }

    /// Publishes a packet, and writes it to the native sockets here. `room`: where there is exactly one;
    /// `opts`: JSON text of `{ rooms, except, flags }`. Where that names rooms that are neither strings nor
    /// numbers, JavaScript writes to native sockets too. Returns whether it has sockets to write to.
    #[napi(catch_unwind)]
    pub fn broadcast_to(
        &self,
        namespace: u32,
        room: Option<String>,
        text: String,
        opts: String,
        attachments: Vec<Buffer>,
    ) -> bool {
        self.adapter.broadcast(namespace, outgoing(room, text, opts, &attachments))
    }

    /// The same without publishing it.
    #[napi(catch_unwind)]
    pub fn broadcast_here(
        &self,
        namespace: u32,
        text: String,
        opts: String,
        attachments: Vec<Buffer>,
    ) -> bool {
        self.adapter.broadcast_here(namespace, &outgoing(None, text, opts, &attachments))
    }

    /// Publishes a broadcast that JavaScript has packed. `room`: where there is exactly one.
    #[napi(catch_unwind)]
    pub fn broadcast_packed(
        &self,
        namespace: u32,
        room: Option<String>,
        payload: Either<String, Buffer>,
    ) {
        self.adapter.broadcast_packed(namespace, room, bytes_of(payload));
    }

    /// Adds a packet to the stream, from which it comes back, and writes it nowhere. Its id is the reply.
    #[napi(catch_unwind)]
    pub fn add_broadcast(
        &self,
        namespace: u32,
        text: String,
        opts: String,
        attachments: Vec<Buffer>,
        ticket: u32,
    ) {
        let data = EntryData::Broadcast(outgoing(None, text, opts, &attachments));
        self.adapter.add(namespace, data, waits(ticket));
    }

    /// The same with data that JavaScript has encoded: text of JSON, or of base64 of MessagePack.
    #[napi(catch_unwind)]
    pub fn add_packed(&self, namespace: u32, data: Either<String, Buffer>, ticket: u32) {
        self.adapter.add(namespace, EntryData::Ready(BROADCAST, bytes_of(data)), waits(ticket));
    }

    /// Adds an entry of another type to the stream. With a ticket, its id is the reply, and it comes back to
    /// this server too.
    #[napi(catch_unwind)]
    pub fn add_request(
        &self,
        namespace: u32,
        kind: u32,
        data: Either<String, Buffer>,
        ticket: u32,
    ) {
        self.adapter.add(namespace, EntryData::Ready(kind, bytes_of(data)), waits(ticket));
    }

    /// Whether what was added under this ticket, and of which Redis has not said that it was, is to be handled
    /// now. If not, it has come back; if so, it is not handled again should it come back.
    #[napi(catch_unwind)]
    pub fn give_up(&self, namespace: u32, ticket: u32) -> bool {
        self.adapter.give_up(namespace, ticket)
    }

    /// Has nothing of the namespace's stream be handed out until it is released. The reply comes behind all
    /// that was handed out: the id of its last entry, or null where none was read yet.
    #[napi(catch_unwind)]
    pub fn hold(&self, namespace: u32, ticket: u32) {
        self.adapter.hold(namespace, ticket);
    }

    /// Releases a stream that was held.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi owns strings")]
    pub fn release(&self, stream: String) {
        self.adapter.release(&stream);
    }

    /// Reads the stream behind an entry for a session, in pages. `rooms`: JSON text of an array, those of the
    /// session. `tickets`: two for each page. The reply to the first one is a list, as soon as the page is there:
    /// the id of its last entry or null, and whether it is full, so that there may be more. That to the second one
    /// follows, another list: how many bytes its packets have, then for each the array of its data with its id
    /// behind it, or `{ id, data }` where it is MessagePack. Both are nothing where there is no page.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi owns strings")]
    pub fn missed(&self, namespace: u32, behind: String, rooms: String, tickets: Vec<u32>) {
        self.adapter.missed(namespace, &behind, &rooms, &tickets);
    }

    /// Asks whether the stream still has an entry. The reply is a list, which is empty if not.
    #[napi(catch_unwind)]
    pub fn has_entry(&self, namespace: u32, id: String, ticket: u32) {
        self.adapter.has_entry(namespace, id, ticket);
    }

    /// Sets a session, for `ttl` ms.
    #[napi(catch_unwind)]
    pub fn set_session(&self, key: String, session: String, ttl: f64, ticket: u32) {
        let ttl = to_usize(ttl).to_string();
        self.adapter.command("SET", vec![key, session, "PX".to_owned(), ttl], waits(ticket));
    }

    /// Takes a session away, and replies with it. Redis before 6.2 does not know the command.
    #[napi(catch_unwind)]
    pub fn take_session(&self, key: String, ticket: u32) {
        self.adapter.command("GETDEL", vec![key], waits(ticket));
    }

    /// Replies with a session.
    #[napi(catch_unwind)]
    pub fn get_session(&self, key: String, ticket: u32) {
        self.adapter.command("GET", vec![key], waits(ticket));
    }

    /// Removes a session. The reply is how many there were.
    #[napi(catch_unwind)]
    pub fn delete_session(&self, key: String, ticket: u32) {
        self.adapter.command("DEL", vec![key], waits(ticket));
    }

    /// Publishes a request to other servers.
    #[napi(catch_unwind)]
    pub fn request(&self, namespace: u32, channel: String, payload: Either<String, Buffer>) {
        self.adapter.request(namespace, channel, bytes_of(payload));
    }

    /// Publishes a response to a request.
    #[napi(catch_unwind)]
    pub fn respond(&self, channel: String, payload: Either<String, Buffer>) {
        self.adapter.respond(channel, bytes_of(payload));
    }
}

fn outgoing(room: Option<String>, text: String, opts: String, attachments: &[Buffer]) -> Outgoing {
    let attachments = attachments.iter().map(|part| part.to_vec()).collect();
    Outgoing { target: Target::Given { room, opts }, text, attachments }
}
