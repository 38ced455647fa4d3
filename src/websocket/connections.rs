//! All native connections of one JavaScript environment, as the event loop and the sessions see them.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use once_cell::sync::OnceCell;
use rustc_hash::FxHashMap;

use super::command::{Broadcast, Command, Commands};
use super::frame::Frames;
use super::inbox::{Inbox, Traffic};
#[cfg(unix)]
use super::shard;
use crate::event_loop::{Drained, Limits, Mailbox, Waker};

/// The number of a connection. Never given twice while the process lives, so that what is written late
/// cannot reach another client.
pub type ConnectionId = u32;

/// The last number that was given. Of the process: namespaces may see connections of several servers.
static LAST: AtomicU32 = AtomicU32::new(0);

/// How connections are served.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many threads write and read.
    pub shards: usize,
    /// What may wait for the event loop.
    pub mailbox: Limits,
}

/// A connection whose handshake is done.
#[derive(Debug)]
pub struct Adoption {
    /// What is written first.
    pub response: Vec<u8>,
    /// What has been read of it already.
    pub head: Vec<u8>,
    /// The longest message that is taken, in bytes; 0 stands for no limit.
    pub max_payload: usize,
    /// How many bytes may wait for it.
    pub max_buffered: usize,
}

/// The same on its way to a shard.
pub(super) struct Adopted {
    pub(super) id: ConnectionId,
    pub(super) socket: socket2::Socket,
    pub(super) adoption: Adoption,
    pub(super) gauge: Arc<AtomicUsize>,
}

/// The bytes that each connection has not got rid of.
pub(super) type Gauges = Mutex<FxHashMap<ConnectionId, Arc<AtomicUsize>>>;

/// How many writes of broadcasts the shards have not come to, one for each connection that is to get one.
#[derive(Debug, Default)]
pub(super) struct Backlog(AtomicUsize);

impl Backlog {
    /// Beyond this, no more is read from Redis: about 50 MB, and some seconds of writing.
    const MAX: usize = 1 << 20;

    fn add(&self, many: usize) {
        self.0.fetch_add(many, Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, many: usize) {
        self.0.fetch_sub(many, Ordering::Relaxed);
    }

    fn has_capacity(&self) -> bool {
        self.0.load(Ordering::Relaxed) < Self::MAX
    }
}

/// The connections, and the threads that own them.
pub struct Connections {
    options: Options,
    inbox: Arc<Inbox>,
    // A plain mutex: taken by the event loop, and by a shard when a connection ends.
    gauges: Arc<Gauges>,
    backlog: Arc<Backlog>,
    // Started with the first connection.
    shards: OnceCell<Vec<Arc<Commands>>>,
}

impl Connections {
    /// No connections. `waker` is called when [`Self::drain`] has something to give.
    #[must_use]
    pub fn new(options: Options, waker: Waker) -> Self {
        let inbox = Arc::new(Inbox::new(Mailbox::new(options.mailbox, waker)));
        let (gauges, backlog) = Default::default();
        Self { options, inbox, gauges, backlog, shards: OnceCell::new() }
    }

    /// Owns the connection of `socket` from now on.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn adopt(&self, socket: socket2::Socket, adoption: Adoption) -> io::Result<ConnectionId> {
        socket.set_nonblocking(true)?;
        self.shards.get_or_try_init(|| self.start())?;
        let mut gauges = lock(&self.gauges);
        let id = loop {
            let id = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if id != 0 && !gauges.contains_key(&id) {
                break id;
            }
        };
        let gauge = Arc::new(AtomicUsize::new(0));
        gauges.insert(id, Arc::clone(&gauge));
        drop(gauges);
        self.command(id, Command::Adopt(Box::new(Adopted { id, socket, adoption, gauge })));
        Ok(id)
    }

    #[cfg(unix)]
    fn start(&self) -> io::Result<Vec<Arc<Commands>>> {
        let mut shards = Vec::new();
        for _ in 0..self.options.shards.max(1) {
            match shard::start(&self.inbox, &self.gauges, &self.backlog) {
                Ok(shard) => shards.push(shard),
                Err(error) => {
                    end(&shards);
                    return Err(error);
                }
            }
        }
        Ok(shards)
    }

    #[cfg(not(unix))]
    fn start(&self) -> io::Result<Vec<Arc<Commands>>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn command(&self, id: ConnectionId, command: Command) {
        let shards = self.shards.get();
        if let Some(shard) = shards.and_then(|shards| shards.get(id as usize % shards.len())) {
            shard.push(command);
        }
    }

    /// Writes frames to a connection, once [`Self::wake`] is called. A ticket other than 0 is reported
    /// when the kernel has them.
    pub(crate) fn send(&self, id: ConnectionId, frames: Frames, ticket: u32) {
        if let Some(gauge) = lock(&self.gauges).get(&id) {
            gauge.fetch_add(frames.len(), Ordering::Relaxed);
        }
        self.command(id, Command::Send { id, frames, ticket });
    }

    /// Writes frames to connections, once [`Self::wake`] is called; those that are gone are left out.
    /// `volatile`: leaves out those that have something else to write. `held_if_corked`: waits where a
    /// connection is corked.
    pub(crate) fn broadcast(
        &self,
        targets: &[ConnectionId],
        frames: &Frames,
        volatile: bool,
        held_if_corked: bool,
    ) {
        let Some(shards) = self.shards.get() else { return };
        self.backlog.add(targets.len());
        let mut parts: Vec<Vec<ConnectionId>> = shards.iter().map(|_| Vec::new()).collect();
        for &id in targets {
            if let Some(part) = parts.get_mut(id as usize % shards.len()) {
                part.push(id);
            }
        }
        for (shard, targets) in shards.iter().zip(parts) {
            if !targets.is_empty() {
                let frames = frames.clone();
                let broadcast = Broadcast { targets, frames, volatile, held_if_corked };
                shard.push(Command::Broadcast(broadcast));
            }
        }
    }

    /// Has the shard of a connection fail.
    #[cfg(test)]
    pub(super) fn fail(&self, id: ConnectionId) {
        self.command(id, Command::Panic);
    }

    /// How many writes of broadcasts the shards have not come to.
    #[cfg(test)]
    pub(super) fn backlog(&self) -> usize {
        self.backlog.0.load(Ordering::Relaxed)
    }

    /// Whether more may be broadcast without filling the memory.
    pub fn has_capacity(&self) -> bool {
        self.backlog.has_capacity()
    }

    /// Wakes the shards that have something to do.
    pub fn wake(&self) {
        for shard in self.shards.get().into_iter().flatten() {
            shard.wake();
        }
    }

    /// Closes a connection once all before is written; code 0 stands for none.
    pub fn close(&self, id: ConnectionId, code: u16, reason: String) {
        self.command(id, Command::Close { id, code, reason });
    }

    /// Ends a connection once all before is written, and these bytes: a client that takes them for a frame
    /// finds that they are none.
    pub fn abort(&self, id: ConnectionId, bytes: Vec<u8>) {
        self.command(id, Command::Abort(id, bytes.into()));
    }

    /// Ends a connection at once.
    pub fn terminate(&self, id: ConnectionId) {
        self.command(id, Command::Terminate(id));
    }

    /// Reads no more of a connection, or again.
    pub fn pause(&self, id: ConnectionId, paused: bool) {
        self.command(id, Command::Pause(id, paused));
    }

    /// Holds broadcasts that may be held, until this is undone; each time holds what comes behind it.
    pub fn cork(&self, id: ConnectionId) {
        self.command(id, Command::Cork(id));
    }

    /// Undoes the oldest [`Self::cork`].
    pub fn uncork(&self, id: ConnectionId) {
        self.command(id, Command::Uncork(id));
    }

    /// The bytes that the kernel has not taken yet; 0 for a connection that is gone.
    pub fn buffered(&self, id: ConnectionId) -> usize {
        lock(&self.gauges).get(&id).map_or(0, |gauge| gauge.load(Ordering::Relaxed))
    }

    /// Takes what is there for the event loop.
    pub fn drain(&self) -> Option<Drained> {
        let (drained, resume) = self.inbox.drain();
        if resume {
            for shard in self.shards.get().into_iter().flatten() {
                shard.push(Command::Read);
                shard.wake();
            }
        }
        drained
    }

    /// What has been counted.
    pub(crate) fn counters(&self) -> &Traffic {
        &self.inbox.counters
    }

    /// How many messages wait for the event loop, and their bytes.
    pub fn depth(&self) -> (usize, usize) {
        self.inbox.depth()
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.shards.get().into_iter().for_each(|shards| end(shards));
    }
}

/// Has threads close all that they own, and end.
fn end(shards: &[Arc<Commands>]) {
    for shard in shards {
        shard.push(Command::End);
        shard.wake();
    }
}

pub(super) fn lock(gauges: &Gauges) -> MutexGuard<'_, FxHashMap<ConnectionId, Arc<AtomicUsize>>> {
    gauges.lock().unwrap_or_else(PoisonError::into_inner)
}
