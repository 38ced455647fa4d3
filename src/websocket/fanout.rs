//! The sockets of one namespace that broadcasts are written to without the event loop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::rooms::{Audience, JAVASCRIPT, MemberId, Rooms, Side};
use super::{ConnectionId, Connections};

/// What writes frames to connections.
pub(crate) trait Writer: Send + Sync {
    /// Writes frames to connections once [`Self::wake`] is called; those that are gone are left out.
    fn broadcast(&self, targets: &[ConnectionId], frames: &Bytes, volatile: bool, held: bool);
    /// Holds broadcasts that may be held.
    fn cork(&self, id: ConnectionId);
    /// Begins to write.
    fn wake(&self);
}

impl Writer for Connections {
    fn broadcast(&self, targets: &[ConnectionId], frames: &Bytes, volatile: bool, held: bool) {
        Self::broadcast(self, targets, frames, volatile, held);
    }

    fn cork(&self, id: ConnectionId) {
        Self::cork(self, id);
    }

    fn wake(&self) {
        Self::wake(self);
    }
}

/// Frames, and for which members they are.
#[derive(Debug, Clone)]
pub struct Broadcast<'a> {
    /// The members.
    pub audience: Audience<'a>,
    /// Whole WebSocket frames.
    pub frames: Bytes,
    /// Whether those that have something else to write do without.
    pub volatile: bool,
}

/// A change of mode, for broadcasts of Redis.
#[derive(Debug, Clone, Copy)]
pub(super) struct RemoteChange {
    member: MemberId,
    /// Which of the members of this number it is.
    serial: u64,
    connection: ConnectionId,
}

/// What has become of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// To how many connections it goes.
    pub connections: usize,
    /// Whether members that JavaScript writes to may be in its rooms.
    pub javascript: bool,
    /// Whether anybody is in its rooms.
    pub anybody: bool,
}

/// The sockets of a namespace, which are members of rooms. A member is either native, then frames go to
/// its connection, or JavaScript's, which writes to it by itself.
///
/// Rooms go by names that no two rooms share; what is called how is for the caller to say.
pub struct Fanout {
    // A plain mutex: held for one change or for the search of a broadcast's targets, which are in the
    // connections' queues when it is let go. So a change counts for all of a broadcast or for nothing
    // of it.
    rooms: Mutex<Rooms>,
    writer: Arc<dyn Writer>,
}

impl Fanout {
    /// A namespace without sockets.
    #[must_use]
    pub fn new(connections: Arc<Connections>) -> Self {
        Self::writing_to(connections)
    }

    pub(crate) fn writing_to(writer: Arc<dyn Writer>) -> Self {
        Self { rooms: Mutex::default(), writer }
    }

    /// A new member, in no room; with the connection 0 it is JavaScript's.
    pub fn add(&self, connection: ConnectionId) -> MemberId {
        self.lock().add(connection)
    }

    /// Forgets a member; it leaves all rooms.
    pub fn remove(&self, member: MemberId) {
        self.lock().remove(member);
    }

    /// Forgets all members.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// A member joins a room.
    pub fn join(&self, member: MemberId, room: &str) {
        self.lock().join(member, room);
    }

    /// A member leaves a room.
    pub fn leave(&self, member: MemberId, room: &str) {
        self.lock().leave(member, room);
    }

    /// Whether anybody is in a room.
    pub fn has(&self, room: &str) -> bool {
        self.lock().has(room)
    }

    /// Writes what JavaScript broadcasts to the native members, before anything that JavaScript writes
    /// to them later; JavaScript wakes the connections at the end of its turn.
    pub fn write_local(&self, broadcast: &Broadcast<'_>) -> Reached {
        self.write(&mut self.lock(), broadcast, Side::Local)
    }

    /// Writes a broadcast of Redis to the native members. Calls back while no member can change its
    /// mode.
    pub(super) fn write_remote<T>(
        &self,
        broadcast: &Broadcast<'_>,
        callback: impl FnOnce(Reached) -> T,
    ) -> T {
        let mut rooms = self.lock();
        let reached = self.write(&mut rooms, broadcast, Side::Remote);
        let result = callback(reached);
        drop(rooms);
        if reached.connections > 0 {
            self.writer.wake();
        }
        result
    }

    fn write(&self, rooms: &mut Rooms, broadcast: &Broadcast<'_>, side: Side) -> Reached {
        let Broadcast { audience, frames, volatile } = broadcast;
        let found = rooms.find(*audience, side);
        let targets = rooms.targets();
        if !targets.is_empty() {
            self.writer.broadcast(targets, frames, *volatile, side == Side::Remote);
        }
        let connections = targets.len();
        Reached { connections, javascript: found.javascript, anybody: found.anybody }
    }

    /// A member becomes native or JavaScript's, for local broadcasts. Calls back while nothing is
    /// broadcast; the result says whether that is all, or which change has to follow when what waits has
    /// been written.
    pub(super) fn change_mode<T>(
        &self,
        member: MemberId,
        connection: ConnectionId,
        waits: bool,
        callback: impl FnOnce() -> T,
    ) -> (T, Option<RemoteChange>) {
        let mut rooms = self.lock();
        let serial = rooms.serial(member).unwrap_or_default();
        rooms.set_local(member, connection);
        let change = RemoteChange { member, serial, connection };
        if !waits {
            self.apply(&mut rooms, change);
        }
        (callback(), waits.then_some(change))
    }

    /// The same for broadcasts of Redis, in whose order it has its place.
    pub(super) fn change_remote(&self, change: RemoteChange) {
        self.apply(&mut self.lock(), change);
    }

    /// From here on, broadcasts of Redis wait on the connection until JavaScript has written what was its
    /// own before. Those before must not: the member may have been native for them, and not since.
    fn apply(&self, rooms: &mut Rooms, RemoteChange { member, serial, connection }: RemoteChange) {
        rooms.set_remote(member, serial, connection);
        // Also where the member has left: it is undone all the same.
        if connection != JAVASCRIPT {
            self.writer.cork(connection);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
