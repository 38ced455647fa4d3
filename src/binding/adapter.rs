//! The methods of `NativeBackplane` that `lib/adapter/` calls.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use super::backplane::NativeBackplane;
use super::waits;
use crate::adapter::{Mode, Opening, Outgoing};
use crate::backplane::{Request, Target};

/// What a namespace is opened with.
#[napi(object)]
pub struct NativeOpening {
    /// The option `key`.
    pub key: String,
    /// The namespace's name.
    pub nsp: String,
    /// What marks this server's messages.
    pub uid: String,
    /// The option `subscriptionMode`: 0 pattern, 1 dynamic, 2 dynamic-private.
    pub mode: u32,
    /// Whether broadcasts are handed over as they are, for a parser of the application's own.
    pub raw: bool,
}

#[napi]
impl NativeBackplane {
    /// Opens a namespace; returns the number by which it goes.
    #[napi(catch_unwind)]
    pub fn open_namespace(&self, opening: NativeOpening) -> u32 {
        let NativeOpening { key, nsp, uid, mode, raw } = opening;
        let mode = match mode {
            1 => Mode::Dynamic,
            2 => Mode::DynamicPrivate,
            _ => Mode::Pattern,
        };
        self.adapter.open(Opening { key, nsp, uid, mode, raw })
    }

    /// Closes a namespace.
    #[napi(catch_unwind)]
    pub fn close_namespace(&self, namespace: u32) {
        self.adapter.close(namespace);
    }

    /// Tells which rooms have got their first socket here and which have lost their last one. The
    /// subscription of each of `added` is confirmed under the ticket at its place.
    #[napi(catch_unwind)]
    pub fn hold_rooms(
        &self,
        namespace: u32,
        added: Vec<String>,
        removed: Vec<String>,
        tickets: Vec<u32>,
    ) {
        let tickets = tickets.into_iter().map(waits).chain(std::iter::repeat(None));
        let added: Vec<_> = added.into_iter().zip(tickets).collect();
        self.adapter.hold(namespace, &added, &removed);
    }

    /// Publishes a packet for one room, or for all when `room` is empty, without exceptions and flags.
    #[napi(catch_unwind)]
    pub fn broadcast(&self, namespace: u32, room: String, text: String) {
        self.adapter.broadcast(namespace, Outgoing::simple(room, text));
    }

    /// Publishes a packet. `suffix`: `room#` for exactly one room, else empty; `opts`: JSON text of
    /// `{ rooms, except, flags }`.
    #[napi(catch_unwind)]
    pub fn broadcast_to(
        &self,
        namespace: u32,
        suffix: String,
        text: String,
        opts: String,
        attachments: Vec<Buffer>,
    ) {
        let attachments = attachments.iter().map(|part| part.to_vec()).collect();
        let target = Target::Given { suffix, opts };
        self.adapter.broadcast(namespace, Outgoing { target, text, attachments });
    }

    /// `PUBSUB` and its arguments; the reply is a list.
    #[napi(catch_unwind)]
    pub fn pubsub(&self, args: Vec<String>, ticket: u32) {
        self.backplane.send(Request::PubSub(args), waits(ticket));
    }
}
