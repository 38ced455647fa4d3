//! From what Redis sends for a namespace to what the event loop gets.

use std::sync::Arc;

use crate::backplane::{Origin, Reporter};
use crate::delivery::{self, Counters, Entry};
use crate::packet;
use crate::pubsub::Consumer;
use crate::rooms::Held;
use crate::wire::classic::{self, Broadcast, Received};

/// One namespace of one server.
pub(super) struct Namespace {
    pub(super) number: u32,
    pub(super) origin: Arc<Origin>,
    pub(super) held: Held,
    // Whether broadcasts go to JavaScript as they are, for a parser of the application's own.
    raw: bool,
    reporter: Arc<Reporter>,
}

/// What JavaScript reads itself. The discriminants are the `kind` words of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A broadcast in a parser of the application's own.
    Broadcast = 0,
    /// A request, as official nodes make them too.
    Request = 1,
    /// A response to one.
    Response = 2,
}

impl Namespace {
    pub(super) fn new(
        number: u32,
        origin: Arc<Origin>,
        raw: bool,
        reporter: Arc<Reporter>,
    ) -> Self {
        Self { number, origin, held: Held::default(), raw, reporter }
    }

    fn broadcast(&self, channel: &[u8], payload: &[u8]) {
        Counters::count(&self.reporter.counters().received);
        if !self.reaches_somebody(channel) {
            return Counters::count(&self.reporter.counters().filtered_rooms);
        }
        if self.raw {
            return self.hand_over(Kind::Broadcast, channel, payload);
        }
        let Origin { uid, nsp, .. } = &*self.origin;
        let counters = self.reporter.counters();
        match classic::decode(payload, uid, nsp, |room| self.holds(room)) {
            Ok(Received::Broadcast(broadcast)) => self.deliver(&broadcast),
            Ok(Received::Own) => Counters::count(&counters.filtered_own),
            Ok(Received::OtherNamespace) => Counters::count(&counters.filtered_namespaces),
            Ok(Received::NotHeld) => Counters::count(&counters.filtered_rooms),
            Err(problem) => self.reporter.ignore(problem.kind(), channel),
        }
    }

    /// Whether somebody here is in the room that the channel is for, if it is for one.
    fn reaches_somebody(&self, channel: &[u8]) -> bool {
        let suffix = channel.get(self.origin.channel.len()..).unwrap_or_default();
        match suffix.split_last() {
            // Broken UTF-8 is a room that JavaScript cannot name.
            Some((_, room)) if !room.is_empty() => {
                str::from_utf8(room).is_ok_and(|room| self.holds(room))
            }
            _ => true,
        }
    }

    /// Whether somebody here is in `room`, or may be by the time that a broadcast is delivered: a
    /// request to join it may be on its way to the event loop.
    fn holds(&self, room: &str) -> bool {
        self.held.holds(room) || self.reporter.is_gated()
    }

    fn deliver(&self, broadcast: &Broadcast<'_>) {
        let Broadcast { packet, rooms, except, volatile, compress } = broadcast;
        let mut text = Vec::new();
        packet::append_text(packet, &self.origin.nsp, &mut text);
        // Text made of `str`s is valid.
        let text = String::from_utf8(text).unwrap_or_default();
        let single = rooms.single();
        let rooms = single.map_or_else(|| json_or_nothing(rooms), str::to_owned);
        let flags = flag(*volatile) | flag(*compress) << 2 | u32::from(single.is_some()) << 4;
        // Engine.IO writes "4" before a message; a packet with attachments takes several frames.
        let mut head = Vec::new();
        if packet.attachments.is_empty() {
            packet::append_frame_head(text.len() + 1, &mut head);
            head.push(b'4');
        }
        self.reporter.deliver(&Entry::Broadcast(delivery::Broadcast {
            namespace: self.number,
            flags,
            rooms: &rooms,
            except: &json_or_nothing(except),
            head: &head,
            text: &text,
            attachments: &packet.attachments,
        }));
    }

    fn hand_over(&self, kind: Kind, channel: &[u8], payload: &[u8]) {
        let (namespace, kind) = (self.number, kind as u32);
        self.reporter.deliver(&Entry::Payload { namespace, kind, channel, payload });
    }
}

fn json_or_nothing(names: &classic::Names<'_>) -> String {
    if names.is_empty() { String::new() } else { names.to_json() }
}

fn flag(on: Option<bool>) -> u32 {
    on.map_or(0, |on| 1 + u32::from(on))
}

/// Gets the broadcasts of a namespace.
pub(super) struct Broadcasts(pub(super) Arc<Namespace>);

impl Consumer for Broadcasts {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        self.0.broadcast(channel, payload);
    }
}

/// Gets the requests, or the responses, of a namespace.
pub(super) struct Inbox(pub(super) Arc<Namespace>, pub(super) Kind);

impl Consumer for Inbox {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        Counters::count(&self.0.reporter.counters().received);
        self.0.hand_over(self.1, channel, payload);
    }
}
