//! From what Redis sends for a namespace to what the event loop gets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backplane::{Origin, Reporter};
use crate::delivery::{self, Counters, Entry};
use crate::packet;
use crate::pubsub::Consumer;
use crate::rooms::{Held, Strays};
use crate::wire::classic::{self, Broadcast, Received};

/// One namespace of one server.
pub(super) struct Namespace {
    pub(super) number: u32,
    pub(super) origin: Arc<Origin>,
    held: Held,
    // A plain mutex: whoever finds a room without anybody, or puts somebody there, holds it.
    strays: Mutex<Strays>,
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
        let (held, strays) = (Held::default(), Mutex::default());
        Self { number, origin, held, strays, raw, reporter }
    }

    /// The first has joined `room`.
    pub(super) fn hold(&self, room: &str) {
        let mut strays = self.strays();
        // Before it is held, so that no later broadcast overtakes these.
        let welcome = strays.take(room);
        for stray in &welcome {
            self.pass(&stray.channel, &stray.payload, |_| true);
        }
        if !welcome.is_empty() {
            self.reporter.ring();
        }
        self.held.hold(room);
    }

    /// The last has left `room`. `true` when its name is not held any more.
    pub(super) fn release(&self, room: &str) -> bool {
        self.held.release(room)
    }

    /// The names of all rooms that are held.
    pub(super) fn held(&self) -> Vec<Box<str>> {
        self.held.names()
    }

    /// The event loop has begun another turn: nobody has joined the rooms of the strays. They are
    /// the caller's to drop, which takes longer than this.
    pub(super) fn take_strays(&self) -> Strays {
        let strays = std::mem::take(&mut *self.strays());
        Counters::add(&self.reporter.counters().filtered_rooms, strays.len());
        strays
    }

    fn strays(&self) -> MutexGuard<'_, Strays> {
        self.strays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broadcast(&self, channel: &[u8], payload: &[u8]) {
        Counters::count(&self.reporter.counters().received);
        match self.room_of(channel) {
            // Broken UTF-8 is a room that JavaScript cannot name.
            Some(Err(_)) => Counters::count(&self.reporter.counters().filtered_rooms),
            Some(Ok(room)) if !self.holds(room) => self.stray(&[room], channel, payload),
            _ => self.pass(channel, payload, |room| self.holds(room)),
        }
    }

    /// Keeps a broadcast that nobody here waits for until the event loop has taken a turn.
    fn stray(&self, rooms: &[&str], channel: &[u8], payload: &[u8]) {
        let mut strays = self.strays();
        if rooms.iter().any(|room| self.holds(room)) {
            // Somebody has joined in between.
            drop(strays);
            return self.pass(channel, payload, |_| true);
        }
        if strays.keep(rooms.iter().copied(), channel, payload) {
            self.reporter.has_strays();
        } else {
            Counters::count(&self.reporter.counters().filtered_rooms);
        }
    }

    /// Delivers a broadcast, if it is for somebody.
    fn pass(&self, channel: &[u8], payload: &[u8], holds: impl Fn(&str) -> bool) {
        if self.raw {
            return self.hand_over(Kind::Broadcast, channel, payload);
        }
        let Origin { uid, nsp, .. } = &*self.origin;
        let counters = self.reporter.counters();
        match classic::decode(payload, uid, nsp, holds) {
            Ok(Received::Broadcast(broadcast)) => self.deliver(&broadcast),
            Ok(Received::Own) => Counters::count(&counters.filtered_own),
            Ok(Received::OtherNamespace) => Counters::count(&counters.filtered_namespaces),
            Ok(Received::NotHeld(rooms)) => {
                let rooms: Vec<_> = rooms.iter().collect();
                let rooms: Vec<&str> = rooms.iter().map(|room| &**room).collect();
                self.stray(&rooms, channel, payload);
            }
            Err(problem) => self.reporter.ignore(problem.kind(), channel),
        }
    }

    /// The room that the channel is for, if it is for one.
    fn room_of<'a>(&self, channel: &'a [u8]) -> Option<Result<&'a str, std::str::Utf8Error>> {
        let (_, room) = channel.get(self.origin.channel.len()..)?.split_last()?;
        (!room.is_empty()).then(|| str::from_utf8(room))
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
