//! `NativeFanout`: the sockets of a namespace of Socket.IO 4, or the clients of a 0.9 server, that
//! broadcasts are for.

use std::sync::Arc;

use napi_derive::napi;

use super::stats::number;
use crate::backplane::Backplane;
use crate::websocket::Fanout;

/// The members of rooms. All of them, also those that JavaScript writes to, and all their rooms have to be
/// reported here, at once and in order.
#[napi]
pub struct NativeFanout {
    pub(super) fanout: Arc<Fanout>,
    pub(super) backplane: Arc<Backplane>,
}

#[napi]
impl NativeFanout {
    /// A member comes, in no room; connection 0: JavaScript writes to it. Returns its number, never 0,
    /// which is given again once it is removed.
    #[napi(catch_unwind)]
    pub fn add(&self, connection: u32) -> u32 {
        self.fanout.add(connection)
    }

    /// A member goes, out of all its rooms.
    #[napi(catch_unwind)]
    pub fn remove(&self, member: u32) {
        self.fanout.remove(member);
    }

    /// A member joins a room, by a name that no two rooms share: see the `useWebSockets` that this is of.
    #[napi(catch_unwind)]
    pub fn join(&self, member: u32, room: String) {
        self.fanout.join(member, &room);
    }

    /// A member leaves a room.
    #[napi(catch_unwind)]
    pub fn leave(&self, member: u32, room: String) {
        self.fanout.leave(member, &room);
    }

    /// A member becomes native or, with connection 0, one that JavaScript writes to: at once for local
    /// broadcasts; for those of Redis with the batch of the number that is returned, or a later one, or
    /// when a drain finds nothing. Until then, the connection is corked for broadcasts of Redis: JavaScript
    /// calls `uncork(connection)` when it gets there. A drain is on its way then.
    #[napi(catch_unwind)]
    pub fn set_native(&self, member: u32, connection: u32) -> f64 {
        number(self.backplane.events().set_mode(&self.fanout, member, connection))
    }
}
