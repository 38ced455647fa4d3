//! What clients have missed: pages of a stream, read for one session.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::Value as Json;

use super::broadcast::Origin;
use super::packet;
use super::room_names::{MARK, of_number, of_string};
use super::wire::{Broadcast, Limits, Reader, streams};
use crate::backplane::{Command, Reading, Request, Route};
use crate::codec::number_to_string;
use crate::connection::Value;
use crate::streams::{Entry, entries};

/// Whose missed packets are read.
struct Session {
    origin: Arc<Origin>,
    limits: Limits,
    // By the names of `room_names`.
    rooms: Vec<String>,
}

/// The request for a page of the stream, from an entry on. `rooms`: JSON text of an array, those of the
/// session. Its reply is JSON text of an array: the id of the page's last entry or null, how many entries
/// it has, then for each packet the array of its data with the entry's id behind it, or `{ id, data }`
/// where JavaScript is to decode the data.
pub(super) fn missed(
    origin: &Arc<Origin>,
    limits: Limits,
    from: &str,
    count: u32,
    rooms: &str,
) -> Request {
    let stream = origin.stream.as_ref().map(|stream| stream.name.clone()).unwrap_or_default();
    let session = Session { origin: Arc::clone(origin), limits, rooms: names_of(rooms) };
    let args = [stream.as_str(), from, "+", "COUNT", &count.to_string()];
    Request::Command(Command {
        name: "XRANGE",
        args: args.map(|arg| arg.as_bytes().to_vec()).to_vec(),
        route: Route::Key,
        reading: Some(Reading(Arc::new(move |page| session.read(page)))),
    })
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
        let mut out = String::from("[");
        match entries(page).map(|(id, _)| id).last() {
            Some(last) => drop(write!(out, r#""{last}",{}"#, entries(page).count())),
            None => out.push_str("null,0"),
        }
        for packet in entries(page).filter_map(|(_, entry)| self.packet(&entry?)) {
            out.push(',');
            out.push_str(&packet);
        }
        out.push(']');
        out
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
