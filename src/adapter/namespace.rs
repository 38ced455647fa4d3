//! From what Redis sends for a namespace to what the event loop gets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::broadcast::Origin;
use super::entry::{Payload, ReadyBroadcast, broadcast_flags, payload_kind};
use super::local_rooms::LocalRooms;
use super::own_entries::OwnEntries;
use super::wire::{self, Broadcast, Limits, Reader, Received, streams};
use super::{packet, room_names};
use crate::backplane::EventSink;
use crate::codec::Malformed;
use crate::event_loop::{Chunk, Counters, Filter};
use crate::pubsub::Consumer;
use crate::streams::{Entry, EntryConsumer, Id};
use crate::websocket::Fanout;

/// One namespace of one server.
pub(super) struct Namespace {
    pub(super) number: u32,
    pub(super) origin: Arc<Origin>,
    pub(super) rooms: LocalRooms,
    // Whether this server waits for responses: those to other servers come on the same channel.
    pub(super) awaits_responses: AtomicBool,
    /// The sockets here, once one of them is native.
    pub(super) fanout: OnceLock<Arc<Fanout>>,
    // Whether broadcasts go to JavaScript as they are, for a parser of the application's own.
    raw: bool,
    pub(super) limits: Limits,
    pub(super) events: Arc<EventSink>,
    pub(super) own_entries: OwnEntries,
}

/// What becomes of a broadcast.
enum Verdict<'a> {
    /// Sockets here get it.
    Deliver(Broadcast<'a>),
    /// JavaScript gets it as it is: one of [`payload_kind`].
    HandOver(u32),
    /// It is for rooms that have no socket here.
    NotHere,
    /// It is of this server, or for another namespace, and counted.
    Dropped,
}

impl Namespace {
    pub(super) fn new(
        number: u32,
        origin: Arc<Origin>,
        raw: bool,
        limits: Limits,
        events: Arc<EventSink>,
    ) -> Self {
        let (rooms, awaits_responses, fanout, own_entries) = Default::default();
        Self { number, origin, rooms, awaits_responses, fanout, raw, limits, events, own_entries }
    }

    fn judge<'a>(&self, channel: &[u8], payload: &'a [u8]) -> Result<Verdict<'a>, Malformed> {
        match self.room_of(channel) {
            // Broken UTF-8 is a room that JavaScript cannot name.
            Some(Err(_)) => return Ok(Verdict::NotHere),
            // Own messages are dropped at once: deferred, they would wake the event loop.
            Some(Ok(room)) if !self.is_here(room) && !self.is_own(payload) => {
                return Ok(Verdict::NotHere);
            }
            _ => {}
        }
        let counters = self.events.counters();
        Ok(match self.decode(payload, |room| self.is_here(room))? {
            Received::Broadcast(broadcast) => Verdict::Deliver(broadcast),
            Received::Packed => Verdict::HandOver(payload_kind::BROADCAST),
            Received::Request => {
                self.origin.see_request(payload);
                Verdict::HandOver(payload_kind::REQUEST)
            }
            Received::Response if self.awaits_responses.load(Ordering::Acquire) => {
                Verdict::HandOver(payload_kind::RESPONSE)
            }
            Received::Response => {
                Counters::count(&counters.filtered_responses);
                Verdict::Dropped
            }
            Received::NotHere => Verdict::NotHere,
            Received::Own => {
                Counters::count(&counters.filtered_own);
                Verdict::Dropped
            }
            Received::OtherNamespace => {
                Counters::count(&counters.filtered_namespaces);
                Verdict::Dropped
            }
        })
    }

    fn decode<'a>(
        &self,
        payload: &'a [u8],
        is_here: impl Fn(&str) -> bool,
    ) -> Result<Received<'a>, Malformed> {
        self.origin.wire.decode(payload, &self.reader(), self.raw, is_here)
    }

    fn reader(&self) -> Reader<'_> {
        let Origin { uid, nsp, .. } = &*self.origin;
        Reader { uid, nsp, limits: self.limits }
    }

    /// Whether a socket here may be in a room, of whatever type its name is. Joins reach `rooms` at the
    /// end of a turn of the event loop, and `fanout` at once.
    fn is_here(&self, room: &str) -> bool {
        let joined = |fanout: &Arc<Fanout>| {
            fanout.has(&room_names::of_string(room))
                || room_names::of_same_text(room).is_some_and(|number| fanout.has(&number))
        };
        self.rooms.has(room) || self.fanout.get().is_some_and(joined)
    }

    /// Whether this server handles an entry with this mark: all but what it has handled when it added it.
    fn handles_entry(&self, uid: &str) -> bool {
        let Some(ticket) = uid.strip_prefix(&self.origin.uid) else { return true };
        if ticket.is_empty() {
            return false;
        }
        let ticket = ticket.strip_prefix('~').and_then(|ticket| ticket.parse().ok());
        ticket.is_none_or(|ticket| self.own_entries.came(ticket))
    }

    fn is_own(&self, payload: &[u8]) -> bool {
        self.origin.wire.is_own(payload, &self.reader(), self.raw)
    }

    /// The room that the channel is for, if it is for one.
    fn room_of<'a>(&self, channel: &'a [u8]) -> Option<Result<&'a str, std::str::Utf8Error>> {
        if self.origin.stream.is_some() {
            return None;
        }
        let (_, room) = channel.get(self.origin.channel.len()..)?.split_last()?;
        (!room.is_empty()).then(|| str::from_utf8(room))
    }

    fn payload<'a>(&self, kind: u32, channel: &'a [u8], payload: &'a [u8]) -> Payload<'a> {
        Payload { namespace: self.number, kind, channel, payload }
    }

    /// What a packet gets behind its arguments: the id of its entry, which stands in the place of a
    /// channel. Those that are volatile, or are to be acknowledged, get none, as socket.io-adapter has it.
    fn offset<'a>(&self, channel: &'a [u8], broadcast: &Broadcast<'_>) -> Option<&'a str> {
        let recovers = self.origin.stream.as_ref().is_some_and(|stream| stream.recovers);
        let counts = recovers && broadcast.volatile.is_none() && broadcast.packet.id.is_none();
        str::from_utf8(channel).ok().filter(|id| counts && Id::parse(id.as_bytes()).is_some())
    }

    /// Calls back with the broadcast as the event loop gets it.
    pub(super) fn ready<T>(
        &self,
        channel: &[u8],
        broadcast: &Broadcast<'_>,
        callback: impl FnOnce(&ReadyBroadcast<'_>) -> T,
    ) -> Result<T, Malformed> {
        let Broadcast { packet, rooms, except, volatile, compress } = broadcast;
        if !packet::is_event(packet) {
            return Err(Malformed::Type);
        }
        let mut text = Vec::new();
        packet::append_text(packet, &self.origin.nsp, &mut text);
        if let Some(offset) = self.offset(channel, broadcast)
            && text.pop_if(|last| *last == b']').is_some()
        {
            text.extend_from_slice(format!(r#","{offset}"]"#).as_bytes());
        }
        if text.len() > packet::MAX_TEXT {
            return Err(Malformed::TooLong);
        }
        // Text made of `str`s is valid.
        let text = String::from_utf8(text).unwrap_or_default();
        let single = rooms.single();
        let rooms = single.map_or_else(|| json_or_nothing(rooms), str::to_owned);
        let one_room = flag(broadcast_flags::ONE_ROOM, single.is_some());
        let nan = flag(
            broadcast_flags::NAN_NAMES,
            broadcast.rooms.has_nan() || broadcast.except.has_nan(),
        );
        // Engine.IO writes "4" before a message; a packet with attachments takes several frames.
        let mut head = Vec::new();
        if packet.attachments.is_empty() {
            packet::append_frame_head(text.len() + 1, &mut head);
            head.push(b'4');
        }
        Ok(callback(&ReadyBroadcast {
            namespace: self.number,
            flags: broadcast_flags::place(broadcast_flags::VOLATILE, *volatile)
                | broadcast_flags::place(broadcast_flags::COMPRESS, *compress)
                | one_room
                | nan,
            rooms: &rooms,
            except: &json_or_nothing(except),
            head: &head,
            text: &text,
            attachments: &packet.attachments,
        }))
    }

    fn delivered(&self) {
        Counters::count(&self.events.counters().delivered);
    }
}

const fn flag(bit: u32, is_set: bool) -> u32 {
    if is_set { bit } else { 0 }
}

fn json_or_nothing(names: &wire::Names<'_>) -> String {
    if names.is_empty() { String::new() } else { names.to_json() }
}

/// Decides at the drain about broadcasts for rooms that had no socket here when they arrived.
impl Filter for Namespace {
    fn generation(&self) -> u64 {
        self.rooms.generation()
    }

    fn decide(&self, channel: &[u8], payload: &[u8], chunk: &mut Chunk) {
        let decided = self.judge(channel, payload).and_then(|verdict| match verdict {
            Verdict::Deliver(broadcast) => self.ready(channel, &broadcast, |entry| {
                chunk.push(entry);
                self.delivered();
            }),
            Verdict::HandOver(kind) => {
                chunk.push(&self.payload(kind, channel, payload));
                self.delivered();
                Ok(())
            }
            Verdict::NotHere => {
                self.discarded(1);
                Ok(())
            }
            Verdict::Dropped => Ok(()),
        });
        if let Err(problem) = decided {
            self.events.malformed(problem.kind(), channel);
        }
    }

    fn discarded(&self, count: u64) {
        Counters::add(&self.events.counters().filtered_rooms, count);
    }
}

/// Gets the broadcasts of a namespace.
pub(super) struct Broadcasts {
    namespace: Arc<Namespace>,
    filter: Arc<dyn Filter>,
}

impl Broadcasts {
    pub(super) fn new(namespace: Arc<Namespace>) -> Self {
        let filter: Arc<dyn Filter> = Arc::clone(&namespace) as _;
        Self { namespace, filter }
    }

    fn deliver(&self, channel: &[u8], broadcast: &Broadcast<'_>) -> Result<(), Malformed> {
        let Self { namespace, .. } = self;
        let events = &namespace.events;
        match namespace.fanout.get() {
            None => namespace.ready(channel, broadcast, |entry| events.deliver(entry)),
            Some(fanout) => namespace.fan_out(fanout, channel, broadcast, |entry, reached| {
                // Rooms that have just lost their last socket here are JavaScript's to judge.
                if reached.is_none_or(|reached| reached.javascript || !reached.anybody) {
                    events.deliver(entry);
                }
            }),
        }
    }

    /// A broadcast that is for no room here now, and that has to wait until JavaScript has handled what
    /// may change that. Whether it is one.
    fn wait(&self, fanout: &Arc<Fanout>, channel: &[u8], payload: &[u8], defer: impl Fn()) -> bool {
        let Self { namespace, .. } = self;
        if !namespace.events.is_gated() {
            return false;
        }
        let decoded = namespace.decode(payload, |_| true);
        let Ok(Received::Broadcast(broadcast)) = decoded else { return false };
        let waits =
            namespace.fan_out(fanout, channel, &broadcast, |entry, reached| match reached {
                // JavaScript has handled it meanwhile.
                Some(reached) if reached.javascript => namespace.events.deliver(entry),
                Some(reached) if reached.anybody => {}
                _ => defer(),
            });
        waits.is_ok()
    }
}

impl Consumer for Broadcasts {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        let Self { namespace, filter } = self;
        let events = &namespace.events;
        Counters::count(&events.counters().received);
        // Before the rooms are looked up: one that is added later changes it.
        let generation = filter.generation();
        let defer = || events.defer(filter, generation, channel, payload);
        let judged = namespace.judge(channel, payload).and_then(|verdict| match verdict {
            Verdict::Deliver(broadcast) => self.deliver(channel, &broadcast),
            Verdict::HandOver(kind) => {
                events.deliver(&namespace.payload(kind, channel, payload));
                Ok(())
            }
            Verdict::NotHere => {
                let fanout = namespace.fanout.get();
                if !fanout.is_some_and(|fanout| self.wait(fanout, channel, payload, defer)) {
                    defer();
                }
                Ok(())
            }
            Verdict::Dropped => Ok(()),
        });
        if let Err(problem) = judged {
            events.malformed(problem.kind(), channel);
        }
    }
}

impl EntryConsumer for Broadcasts {
    fn entry(&self, entry: &Entry<'_>) {
        let Self { namespace, .. } = self;
        let (counters, id) = (namespace.events.counters(), entry.id.to_string());
        if !namespace.handles_entry(entry.uid) {
            Counters::count(&counters.received);
            return Counters::count(&counters.filtered_own);
        }
        match streams::message(entry, &namespace.limits) {
            // The id stands in the place of a channel.
            Ok(message) => self.message(id.as_bytes(), &message),
            Err(problem) => {
                Counters::count(&counters.received);
                namespace.events.malformed(problem.kind(), id.as_bytes());
            }
        }
    }
}

/// Gets the requests, or the responses, of a namespace.
pub(super) struct Requests {
    pub(super) namespace: Arc<Namespace>,
    /// One of [`payload_kind`].
    pub(super) kind: u32,
}

impl Consumer for Requests {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        let (namespace, events) = (&self.namespace, &self.namespace.events);
        Counters::count(&events.counters().received);
        let is_response = self.kind == payload_kind::RESPONSE;
        if is_response && !namespace.awaits_responses.load(Ordering::Acquire) {
            return Counters::count(&events.counters().filtered_responses);
        }
        let limits = &namespace.limits;
        let checked =
            if is_response { limits.check_response(payload) } else { limits.check_length(payload) };
        if let Err(problem) = checked {
            return events.malformed(problem.kind(), channel);
        }
        if !is_response {
            namespace.origin.see_request(payload);
        }
        events.deliver(&self.namespace.payload(self.kind, channel, payload));
    }
}
