//! What clients have missed: pages of a stream, read for one session.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::Value as Json;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::broadcast::Origin;
use super::packet;
use super::room_names::{MARK, of_number, of_string};
use super::wire::{Broadcast, Limits, Reader, streams};
use crate::backplane::{Backplane, Command, EventSink, Reading, Request, Route, Streams};
use crate::codec::number_to_string;
use crate::connection::Value;
use crate::event_loop::Outcome;
use crate::streams::{Entry, Id, Kept, entries, extent};

/// Whose missed packets are read.
struct Session {
    origin: Arc<Origin>,
    limits: Limits,
    // By the names of `room_names`.
    rooms: Vec<String>,
}

/// How many entries are read at once: Redis does nothing else meanwhile.
const PAGE: usize = 512;

/// How many pages are decoded at a time, each in a thread. Those of other clients wait, and with each of them the
/// page behind it: when a server dies, all of its clients come back at once.
static DECODING: Semaphore = Semaphore::const_new(2);

/// What waits for a page. The reply to `head` is a list, as soon as the page is there: the id of its last entry
/// or null, and whether it is full. That to `packets` follows, another list: how many bytes they have, then for
/// each the array of its data with the entry's id behind it, or `{ id, data }` where JavaScript is to decode the
/// data. Both are nothing where there is no page.
pub(super) struct Page {
    pub(super) head: Ticket,
    pub(super) packets: Ticket,
}

/// A request that gets a reply, however it ends.
pub(super) struct Ticket {
    events: Arc<EventSink>,
    number: Option<u32>,
}

impl Ticket {
    pub(super) fn new(events: &Arc<EventSink>, number: u32) -> Self {
        Self { events: Arc::clone(events), number: Some(number) }
    }

    fn reply(mut self, list: &str) {
        if let Some(number) = self.number.take() {
            self.events.reply(number, Outcome::List(list));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.events.settle(self.number.as_slice());
    }
}

/// Pages that are read one behind the other: each is asked for when the one before it begins to be decoded.
pub(super) struct Stretch {
    session: Arc<Session>,
    backplane: Weak<Backplane>,
    streams: Arc<Streams>,
    pages: VecDeque<Page>,
}

/// Entries of one page.
enum Entries {
    /// Those that this server has read a short time ago.
    Recent(Vec<Arc<Kept>>),
    /// A reply to `XRANGE`.
    Reply(Value),
}

impl Entries {
    /// How many there are, and the id of the last one.
    fn extent(&self) -> (usize, Option<Id>) {
        match self {
            Self::Recent(kept) => (kept.len(), kept.last().map(|entry| entry.id())),
            Self::Reply(reply) => extent(reply),
        }
    }

    fn for_each(&self, mut callback: impl FnMut(&Entry<'_>)) {
        match self {
            Self::Recent(kept) => kept.iter().for_each(|entry| callback(&entry.entry())),
            Self::Reply(reply) => {
                entries(reply).filter_map(|(_, entry)| entry).for_each(|entry| callback(&entry));
            }
        }
    }
}

impl Stretch {
    /// Pages of the stream of a namespace. `rooms`: JSON text of an array, those of the session.
    pub(super) fn new(
        (origin, limits): (&Arc<Origin>, Limits),
        (backplane, streams): (&Arc<Backplane>, &Arc<Streams>),
        rooms: &str,
        pages: VecDeque<Page>,
    ) -> Self {
        let session = Session { origin: Arc::clone(origin), limits, rooms: names_of(rooms) };
        let (session, backplane) = (Arc::new(session), Arc::downgrade(backplane));
        Self { session, backplane, streams: Arc::clone(streams), pages }
    }

    /// Reads the page behind an entry, if there are tickets left for one.
    pub(super) fn read(mut self, behind: Id) {
        let Some(backplane) = self.backplane.upgrade() else { return };
        let Some(Page { mut head, packets }) = self.pages.pop_front() else { return };
        let stream = self.session.origin.stream.as_ref().map(|stream| stream.name.clone());
        let stream = stream.unwrap_or_default();
        if let Some(recent) = self.streams.recent().behind(&stream, behind, PAGE) {
            return head.reply(&self.arrived(&backplane, Entries::Recent(recent), packets));
        }
        let args = [stream, behind.after().to_string(), "+".to_owned()];
        let count = ["COUNT".to_owned(), PAGE.to_string()];
        let rest = Mutex::new(Some((self, packets)));
        let read = move |reply: Value| {
            let rest = rest.lock().unwrap_or_else(PoisonError::into_inner).take();
            let backplane = rest.as_ref().and_then(|(stretch, _)| stretch.backplane.upgrade());
            match (rest, backplane) {
                (Some((stretch, packets)), Some(backplane)) => {
                    stretch.arrived(&backplane, Entries::Reply(reply), packets)
                }
                _ => String::new(),
            }
        };
        let request = Request::Command(Command {
            name: "XRANGE",
            args: args.into_iter().chain(count).map(String::into_bytes).collect(),
            route: Route::Key,
            reading: Some(Reading(Box::new(read))),
        });
        backplane.send(request, head.number.take());
    }

    /// A page is there. Returns its head.
    fn arrived(self, backplane: &Backplane, page: Entries, packets: Ticket) -> String {
        let (len, last) = page.extent();
        let session = Arc::clone(&self.session);
        let head = match last {
            Some(last) => format!(r#"["{last}",{}]"#, len == PAGE),
            None => "[null,false]".to_owned(),
        };
        let runtime = backplane.runtime().clone();
        let decode = move |permit: SemaphorePermit<'static>| {
            // Decoding must hold up neither the connection nor the event loop.
            runtime.spawn_blocking(move || {
                packets.reply(&session.read(&page));
                drop(permit);
            });
            if let Some(last) = last.filter(|_| len == PAGE) {
                self.read(last);
            }
        };
        match DECODING.try_acquire() {
            Ok(permit) => decode(permit),
            Err(_) => {
                backplane.runtime().spawn(async { DECODING.acquire().await.map(decode) });
            }
        }
        head
    }
}

fn names_of(rooms: &str) -> Vec<String> {
    let rooms: Vec<Json> = serde_json::from_str(rooms).unwrap_or_default();
    let name = |room: &Json| match room {
        Json::String(text) => Some(of_string(text).into_owned()),
        Json::Number(number) => {
            number.as_f64().map(|number| of_number(&number_to_string(number)).into_owned())
        }
        _ => None,
    };
    rooms.iter().filter_map(name).collect()
}

impl Session {
    fn read(&self, page: &Entries) -> String {
        let mut list = String::new();
        page.for_each(|entry| {
            self.append(entry, &mut list);
        });
        format!("[{}{list}]", list.len())
    }

    /// Appends the packet of an entry, if it is for the session.
    fn append(&self, entry: &Entry<'_>, list: &mut String) -> Option<()> {
        let Origin { nsp, .. } = &*self.origin;
        if entry.nsp != *nsp || entry.kind != "3" {
            return None;
        }
        // Nobody's uid: packets of this server count too.
        let reader = Reader { uid: "", nsp, limits: self.limits };
        // Most are for others, and not read any further.
        let is = |room: &str, text: &str| room == text || room.strip_prefix(MARK) == Some(text);
        let may_be_here = |text: &str| self.rooms.iter().any(|room| is(room, text));
        let packet = |broadcast: &Broadcast<'_>| self.append_text(entry, broadcast, list);
        streams::broadcast(entry, &reader, may_be_here, packet).flatten()
    }

    fn append_text(
        &self,
        entry: &Entry<'_>,
        broadcast: &Broadcast<'_>,
        list: &mut String,
    ) -> Option<()> {
        // Clients got these without an id: they would get them twice.
        let is_kept = broadcast.volatile.is_none() && broadcast.packet.id.is_none();
        if !is_kept || !self.is_for(broadcast) || !packet::is_event(&broadcast.packet) {
            return None;
        }
        let data = broadcast.packet.data.as_deref()?;
        if !broadcast.packet.attachments.is_empty() {
            let data = String::from_utf8_lossy(entry.data?);
            return write!(list, r#",{{"id":"{}","data":{}}}"#, entry.id, Json::from(data)).ok();
        }
        // An element more: there is one at least, the event's name.
        let start = data.trim_end().strip_suffix(']')?;
        write!(list, r#",{start},"{}"]"#, entry.id).ok()
    }

    fn is_for(&self, Broadcast { rooms, except, .. }: &Broadcast<'_>) -> bool {
        (rooms.is_empty() || rooms.of_rooms().any(|room| self.has(&room)))
            && !except.of_rooms().any(|room| self.has(&room))
    }

    fn has(&self, name: &str) -> bool {
        self.rooms.iter().any(|room| room == name)
    }
}
