//! `NativeAdapter`: the class behind `lib/adapter`.

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;

use super::backplane::NativeBackplane;
use super::fanout::NativeFanout;
use super::options::to_usize;
use super::websocket::NativeWebSockets;
use super::{bytes_of, waits};
use crate::adapter::{Adapter, Channels, Limits, Mode, Opening, Outgoing, Target, Wire};

/// The option `subscriptionMode`.
#[napi(string_enum = "kebab-case")]
pub enum SubscriptionMode {
    /// See `adapter::Mode`.
    Pattern,
    /// See `adapter::Mode`.
    Dynamic,
    /// See `adapter::Mode`.
    DynamicPrivate,
}

/// Whose messages are on an adapter's channels.
#[napi(string_enum = "kebab-case")]
pub enum AdapterWire {
    /// See `adapter::Wire`.
    Classic,
    /// See `adapter::Wire`.
    Sharded,
}

/// What a namespace is opened with.
#[napi(object)]
pub struct NativeOpening {
    /// The namespace's name.
    pub nsp: String,
    /// What marks this server's messages.
    pub uid: String,
    /// The namespace's channels.
    pub channels: NativeChannels,
    /// The option `subscriptionMode`.
    pub mode: SubscriptionMode,
    /// Whether broadcasts are handed over as they are, for a parser of the application's own.
    pub raw: bool,
    /// How long a server may take to do what it is asked for, in ms.
    pub requests_timeout: u32,
    /// The option `limits`.
    pub limits: NativeLimits,
}

/// What one message may hold: see `adapter::Limits`.
#[napi(object)]
pub struct NativeLimits {
    /// Rooms, and exceptions.
    pub rooms: u32,
    /// Binary parts.
    pub attachments: u32,
    /// Bytes of its payload.
    pub bytes: f64,
}

/// The channels of a namespace: see `adapter::Channels`.
#[napi(object)]
pub struct NativeChannels {
    /// Broadcasts; that of a room has the room's name and `#` behind it.
    pub broadcasts: String,
    /// The pattern of all broadcasts.
    pub all_broadcasts: String,
    /// The pattern of broadcasts to single sockets.
    pub socket_broadcasts: String,
    /// Requests to all servers.
    pub requests: String,
    /// Responses.
    pub responses: String,
    /// Responses to this server alone.
    pub own_responses: String,
    /// Requests among servers of this package.
    pub native_requests: String,
}

/// The namespaces of a Socket.IO 4 server.
#[napi]
pub struct NativeAdapter {
    adapter: Adapter,
}

#[napi]
impl NativeAdapter {
    /// Makes an adapter without namespaces on a backplane.
    #[napi(constructor, catch_unwind)]
    pub fn new(backplane: &NativeBackplane, wire: AdapterWire) -> Self {
        let wire = match wire {
            AdapterWire::Classic => Wire::Classic,
            AdapterWire::Sharded => Wire::Sharded,
        };
        Self { adapter: Adapter::new(Arc::clone(&backplane.backplane), wire) }
    }

    /// Opens a namespace; returns the number by which it goes.
    #[napi(catch_unwind)]
    pub fn open_namespace(&self, opening: NativeOpening) -> u32 {
        let NativeOpening { nsp, uid, channels, mode, raw, limits, requests_timeout } = opening;
        let mode = match mode {
            SubscriptionMode::Pattern => Mode::Pattern,
            SubscriptionMode::Dynamic => Mode::Dynamic,
            SubscriptionMode::DynamicPrivate => Mode::DynamicPrivate,
        };
        let (channels, limits) = (channels.into(), limits.into());
        let requests_timeout = Duration::from_millis(requests_timeout.into());
        self.adapter.open(Opening { nsp, uid, channels, mode, raw, limits, requests_timeout })
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

impl From<NativeLimits> for Limits {
    fn from(limits: NativeLimits) -> Self {
        let NativeLimits { rooms, attachments, bytes } = limits;
        Self { rooms, attachments: attachments as usize, bytes: to_usize(bytes) }
    }
}

impl From<NativeChannels> for Channels {
    fn from(channels: NativeChannels) -> Self {
        let NativeChannels {
            broadcasts,
            all_broadcasts,
            socket_broadcasts,
            requests,
            responses,
            own_responses,
            native_requests,
        } = channels;
        Self {
            broadcasts,
            all_broadcasts,
            socket_broadcasts,
            requests,
            responses,
            own_responses,
            native_requests,
        }
    }
}
