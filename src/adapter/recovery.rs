//! What clients have missed: pages of a stream, read for one session.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::broadcast::Origin;
use super::packet;
use super::room_names::{MARK, of_number, of_string};
use super::wire::{Broadcast, Limits, Reader, streams};
use crate::backplane::{Command, EventSink, Reading, Request, Route};
use crate::codec::number_to_string;
use crate::connection::Value;
use crate::event_loop::Outcome;
use crate::streams::{Entry, entries, extent};

/// Whose missed packets are read.
struct Session {
    origin: Arc<Origin>,
    limits: Limits,
    // By the names of `room_names`.
    rooms: Vec<String>,
}

/// The request for a page of the stream, from an entry on. `rooms`: JSON text of an array, those of the
/// session. Its reply is a list, as soon as the page is there, so that the next one can be asked for: the
/// id of the page's last entry or null, and how many entries it has. The packets follow as the reply to
/// `packets`.
pub(super) fn missed(
    origin: &Arc<Origin>,
    limits: Limits,
    from: &str,
    count: u32,
    rooms: &str,
    packets: Packets,
) -> Request {
    let stream = origin.stream.as_ref().map(|stream| stream.name.clone()).unwrap_or_default();
    let session = Arc::new(Session { origin: Arc::clone(origin), limits, rooms: names_of(rooms) });
    let packets = Mutex::new(Some(packets));
    let read = move |page: Value| {
        let (len, last) = extent(&page);
        let head = match last {
            Some(last) => format!(r#"["{last}",{len}]"#),
            None => format!("[null,{len}]"),
        };
        let packets = packets.lock().unwrap_or_else(PoisonError::into_inner).take();
        let session = Arc::clone(&session);
        // What waits for this connection does not wait for that.
        tokio::spawn(async move {
            if let Some(packets) = packets {
                packets.reply(&session.read(&page));
            }
        });
        head
    };
    let args = [stream.as_str(), from, "+", "COUNT", &count.to_string()];
    Request::Command(Command {
        name: "XRANGE",
        args: args.map(|arg| arg.as_bytes().to_vec()).to_vec(),
        route: Route::Key,
        reading: Some(Reading(Box::new(read))),
    })
}

/// The caller who waits for the packets of a page. Its reply is a list: how many bytes they have, then for
/// each the array of its data with the entry's id behind it, or `{ id, data }` where JavaScript is to decode
/// the data. It is nothing where there is no page.
pub(super) struct Packets {
    pub(super) events: Arc<EventSink>,
    pub(super) ticket: Option<u32>,
}

impl Packets {
    fn reply(mut self, list: &str) {
        if let Some(ticket) = self.ticket.take() {
            self.events.reply(ticket, Outcome::List(list));
        }
    }
}

/// Whoever waits gets an answer.
impl Drop for Packets {
    fn drop(&mut self) {
        self.events.settle(self.ticket.as_slice());
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
    fn read(&self, page: &Value) -> String {
        let packets = entries(page).filter_map(|(_, entry)| self.packet(&entry?));
        let mut list = String::new();
        for packet in packets {
            list.push(',');
            list.push_str(&packet);
        }
        format!("[{}{list}]", list.len())
    }

    /// The packet of an entry, if it is for the session.
    fn packet(&self, entry: &Entry<'_>) -> Option<String> {
        let Origin { nsp, .. } = &*self.origin;
        if entry.nsp != *nsp || entry.kind != "3" {
            return None;
        }
        // Nobody's uid: packets of this server count too.
        let reader = Reader { uid: "", nsp, limits: self.limits };
        // Most are for others, and not read any further.
        let is = |room: &str, text: &str| room == text || room.strip_prefix(MARK) == Some(text);
        let may_be_here = |text: &str| self.rooms.iter().any(|room| is(room, text));
        let packet = |broadcast: &Broadcast<'_>| self.text(entry, broadcast);
        streams::broadcast(entry, &reader, may_be_here, packet).flatten()
    }

    fn text(&self, entry: &Entry<'_>, broadcast: &Broadcast<'_>) -> Option<String> {
        // Clients got these without an id: they would get them twice.
        let is_kept = broadcast.volatile.is_none() && broadcast.packet.id.is_none();
        if !is_kept || !self.is_for(broadcast) || !packet::is_event(&broadcast.packet) {
            return None;
        }
        let data = broadcast.packet.data.as_deref()?;
        if !broadcast.packet.attachments.is_empty() {
            let data = String::from_utf8_lossy(entry.data?);
            return Some(format!(r#"{{"id":"{}","data":{}}}"#, entry.id, Json::from(data)));
        }
        // An element more: there is one at least, the event's name.
        let start = data.trim_end().strip_suffix(']')?;
        Some(format!(r#"{start},"{}"]"#, entry.id))
    }

    fn is_for(&self, Broadcast { rooms, except, .. }: &Broadcast<'_>) -> bool {
        (rooms.is_empty() || rooms.of_rooms().any(|room| self.has(&room)))
            && !except.of_rooms().any(|room| self.has(&room))
    }

    fn has(&self, name: &str) -> bool {
        self.rooms.iter().any(|room| room == name)
    }
}
