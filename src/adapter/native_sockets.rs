//! How broadcasts reach the native sockets of a namespace.

use std::borrow::Cow;
use std::sync::Arc;

use super::broadcast::{Outgoing, Target};
use super::entry::ReadyBroadcast;
use super::namespace::Namespace;
use super::room_names::{LocalOptions, local_options, of_string};
use super::wire;
use crate::codec::Malformed;
use crate::websocket::{Audience, Broadcast, Fanout, Reached, message_frames};

/// Engine.IO writes it before a message.
const MESSAGE: &[u8] = b"4";

impl Namespace {
    /// Writes a broadcast of Redis to the native sockets here, or has it wait. Calls back with the
    /// broadcast as the event loop gets it, see `EventSink::fan_out`.
    pub(super) fn fan_out<T>(
        &self,
        fanout: &Arc<Fanout>,
        channel: &[u8],
        broadcast: &wire::Broadcast<'_>,
        callback: impl FnOnce(&ReadyBroadcast<'_>, Option<Reached>) -> T,
    ) -> Result<T, Malformed> {
        self.ready(channel, broadcast, |entry| {
            let wire::Broadcast { rooms, except, volatile, .. } = broadcast;
            let (rooms, except): (Vec<_>, Vec<_>) =
                (rooms.of_rooms().collect(), except.of_rooms().collect());
            let audience = Audience { rooms: &rooms, except: &except };
            let parts = entry.attachments.iter().map(|part| &**part);
            let frames = message_frames(MESSAGE, entry.text, parts);
            let broadcast = Broadcast { audience, frames, volatile: *volatile == Some(true) };
            self.events.fan_out(fanout, &broadcast, |reached| callback(entry, reached))
        })
    }

    /// Writes a broadcast of this server to the native sockets here. Whether JavaScript has sockets to
    /// write to: all of them where rooms are named that are neither strings nor numbers.
    pub(super) fn write_local(&self, outgoing: &Outgoing) -> bool {
        let Some(fanout) = self.fanout.get() else { return true };
        let Outgoing { target, text, attachments } = outgoing;
        let write = |rooms: &[Cow<'_, str>], except: &[Cow<'_, str>], volatile| {
            let audience = Audience { rooms, except };
            let parts = attachments.iter().map(|part| &**part);
            let frames = message_frames(MESSAGE, text, parts);
            fanout.write_local(&Broadcast { audience, frames, volatile }).javascript
        };
        match target {
            Target::All => write(&[], &[], false),
            Target::Room(room) => write(&[of_string(room)], &[], false),
            Target::Given { opts, .. } => {
                local_options(opts).is_none_or(|LocalOptions { rooms, except, volatile }| {
                    write(&rooms, &except, volatile)
                })
            }
        }
    }
}
