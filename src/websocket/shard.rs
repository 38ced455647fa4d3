//! A thread that owns connections: reads, writes and ends them.

mod ends;
mod reads;
#[cfg(test)]
mod testing;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use rustc_hash::FxHashMap;

use super::ConnectionId;
use super::command::{Broadcast, Command, Commands};
use super::connection::{Connection, State};
use super::connections::{Adopted, Backlog, Gauges};
use super::entry::Incoming;
use super::inbox::Inbox;
use crate::event_loop::Counters;

/// The token of the waker; connections have their number.
const WAKER: Token = Token(0);
/// Connections that are written to before other jobs have their turn.
const CHUNK: usize = 32;
/// What is read at once.
const READ_BYTES: usize = 64 * 1024;

/// Starts a shard; returns what it is commanded by.
pub(super) fn start(
    inbox: &Arc<Inbox>,
    gauges: &Arc<Gauges>,
    backlog: &Arc<Backlog>,
) -> io::Result<Arc<Commands>> {
    let poll = Poll::new()?;
    let commands = Arc::new(Commands::new(Waker::new(poll.registry(), WAKER)?));
    let shard = Shard {
        poll,
        commands: Arc::clone(&commands),
        inbox: Arc::clone(inbox),
        gauges: Arc::clone(gauges),
        backlog: Arc::clone(backlog),
        connections: FxHashMap::default(),
        singles: VecDeque::new(),
        jobs: VecDeque::new(),
        readable: VecDeque::new(),
        closing: VecDeque::new(),
        taken: VecDeque::new(),
        buffer: vec![0; READ_BYTES],
        replies: Vec::new(),
    };
    thread::Builder::new().name("socket.io-websocket".into()).spawn(move || shard.run())?;
    Ok(commands)
}

struct Shard {
    poll: Poll,
    commands: Arc<Commands>,
    inbox: Arc<Inbox>,
    gauges: Arc<Gauges>,
    backlog: Arc<Backlog>,
    /// Hashed cheaply: the numbers are ours, so no client can choose them to collide.
    connections: FxHashMap<ConnectionId, Box<Connection>>,
    /// Connections with something to write that is theirs alone.
    singles: VecDeque<ConnectionId>,
    /// The same by the broadcasts that gave it; all these lists take turns.
    jobs: VecDeque<VecDeque<ConnectionId>>,
    /// Connections that may have something to read.
    readable: VecDeque<ConnectionId>,
    /// Connections that are to end, in the order in which their time is up.
    closing: VecDeque<(Instant, ConnectionId)>,
    /// Commands that are carried out now. What a panic leaves is carried out after it.
    taken: VecDeque<Command>,
    buffer: Vec<u8>,
    replies: Vec<u8>,
}

impl Shard {
    fn run(mut self) {
        // A panic is a bug: whatever state it leaves, other shards and the process go on.
        while catch_unwind(AssertUnwindSafe(|| self.turns())).is_err() {
            Counters::add(&self.inbox.counters.internal_errors, 1);
            self.backlog.subtract(self.jobs.drain(..).map(|job| job.len()).sum());
            self.singles.clear();
            self.readable.clear();
            // It may have been in use.
            self.buffer = vec![0; READ_BYTES];
            let ids: Vec<_> = self.connections.keys().copied().collect();
            for id in ids {
                self.end(id, 1006, "");
            }
            self.inbox.wake();
        }
    }

    /// Serves connections until there is an end.
    fn turns(&mut self) {
        let mut events = Events::with_capacity(1024);
        loop {
            let timeout = self.timeout();
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != ErrorKind::Interrupted
            {
                // Nothing else is left to do than to look again.
                thread::sleep(Duration::from_millis(10));
            }
            self.commands.awake();
            self.note(&events);
            if self.taken.is_empty() {
                self.commands.take(&mut self.taken);
            }
            while let Some(command) = self.taken.pop_front() {
                if matches!(command, Command::End) {
                    return;
                }
                self.obey(command);
            }
            self.expire();
            self.read_turn();
            self.write_turn();
            self.inbox.wake();
        }
    }

    /// How long there is nothing to do, unless something comes.
    fn timeout(&self) -> Option<Duration> {
        let can_read = !self.readable.is_empty() && self.inbox.has_capacity();
        if can_read || !self.taken.is_empty() || self.has_jobs() || !self.commands.may_sleep() {
            return Some(Duration::ZERO);
        }
        self.closing.front().map(|(until, _)| until.saturating_duration_since(Instant::now()))
    }

    fn has_jobs(&self) -> bool {
        !self.singles.is_empty() || !self.jobs.is_empty()
    }

    /// Notes which connections can be read or written.
    fn note(&mut self, events: &Events) {
        for event in events {
            let Ok(id) = ConnectionId::try_from(event.token().0) else { continue };
            if event.token() == WAKER {
                continue;
            }
            let is_last = event.is_read_closed() || event.is_error();
            if let Some(one) = self.connections.get_mut(&id).filter(|_| is_last) {
                one.read_closed = true;
            }
            if event.is_readable() || is_last {
                self.may_read(id);
            }
            if event.is_writable() {
                self.list(id);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Adopt(adopted) => self.adopt(*adopted),
            Command::Send { id, frames, ticket } => {
                if let Some(one) = self.connections.get_mut(&id) {
                    if one.state != State::Open {
                        return one.refuse(&frames);
                    }
                    let newest = frames.len();
                    one.queue(frames, ticket, true);
                    Counters::add(&self.inbox.counters.sent, 1);
                    self.written(id, newest);
                }
            }
            Command::Broadcast(broadcast) => self.broadcast(&broadcast),
            Command::Close { id, code, reason } => self.close(id, code, &reason),
            Command::Abort(id, bytes) => self.finish_behind(id, bytes),
            Command::Terminate(id) => self.end(id, 1006, ""),
            Command::Pause(id, paused) => {
                if let Some(one) = self.connections.get_mut(&id) {
                    one.paused = paused;
                    if !paused {
                        let head = std::mem::take(&mut one.head);
                        self.feed(id, &head);
                        self.may_read(id);
                    }
                }
            }
            Command::Cork(id) => {
                if let Some(one) = self.connections.get_mut(&id) {
                    one.cork();
                }
            }
            Command::Uncork(id) => {
                if let Some(one) = self.connections.get_mut(&id) {
                    one.uncork();
                    self.list(id);
                }
            }
            Command::Read | Command::End => {}
            #[cfg(test)]
            Command::Panic => panic!("on purpose"),
        }
    }

    /// So many bytes have been put on a connection's queue.
    fn written(&mut self, id: ConnectionId, newest: usize) {
        if self.connections.get(&id).is_some_and(|one| one.is_slow(newest)) {
            self.press(id, newest);
        }
        self.list(id);
    }

    /// Gives up a connection that takes too little: all has come in one turn, maybe, and it takes it now.
    fn press(&mut self, id: ConnectionId, newest: usize) {
        self.write(id);
        if self.connections.get(&id).is_some_and(|one| one.is_slow(newest)) {
            self.give_up(id);
        }
    }

    /// Has a connection written to, if there is anything for it.
    fn list(&mut self, id: ConnectionId) {
        if let Some(one) = self.connections.get_mut(&id)
            && one.is_busy()
            && !std::mem::replace(&mut one.is_listed, true)
        {
            self.singles.push_back(id);
        }
    }

    /// Has a connection read.
    fn may_read(&mut self, id: ConnectionId) {
        if let Some(one) = self.connections.get_mut(&id)
            && !std::mem::replace(&mut one.may_read, true)
        {
            self.readable.push_back(id);
        }
    }

    fn broadcast(&mut self, broadcast: &Broadcast) {
        let Broadcast { targets, frames, volatile, held_if_corked } = broadcast;
        let mut job = VecDeque::with_capacity(targets.len());
        let (mut sent, mut slow) = (0, Vec::new());
        for &id in targets {
            let Some(one) = self.connections.get_mut(&id) else { continue };
            if !one.broadcast(frames, *volatile, *held_if_corked) {
                let dropped = *volatile && one.state == State::Open;
                Counters::add(&self.inbox.counters.volatile_dropped, u64::from(dropped));
                continue;
            }
            sent += 1;
            if one.is_slow(frames.len()) {
                slow.push(id);
            }
            // Although it may be in another job: that may be a long one.
            job.push_back(id);
        }
        Counters::add(&self.inbox.counters.sent, sent);
        self.backlog.subtract(targets.len() - job.len());
        if !job.is_empty() {
            self.jobs.push_back(job);
        }
        for id in slow {
            self.press(id, frames.len());
        }
    }

    fn adopt(&mut self, adopted: Adopted) {
        let Adopted { id, socket, adoption, gauge } = adopted;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let fd = socket.as_raw_fd();
        let registered =
            self.poll.registry().register(&mut SourceFd(&fd), Token(id as usize), interest);
        let mut one = Connection::new(socket, adoption.max_payload, adoption.max_buffered, gauge);
        one.queue(adoption.response.into(), 0, false);
        one.head = adoption.head;
        self.connections.insert(id, Box::new(one));
        self.inbox.counters.open.fetch_add(1, Ordering::Relaxed);
        if registered.is_err() {
            return self.end(id, 1006, "");
        }
        self.list(id);
    }

    /// Writes a chunk of each job.
    fn write_turn(&mut self) {
        for _ in 0..CHUNK.min(self.singles.len()) {
            if let Some(id) = self.singles.pop_front() {
                if let Some(one) = self.connections.get_mut(&id) {
                    one.is_listed = false;
                }
                self.write(id);
            }
        }
        for _ in 0..self.jobs.len() {
            for _ in 0..CHUNK {
                let Some(id) = self.jobs.front_mut().and_then(VecDeque::pop_front) else { break };
                self.backlog.subtract(1);
                self.write(id);
            }
            if let Some(job) = self.jobs.pop_front().filter(|job| !job.is_empty()) {
                self.jobs.push_back(job);
            }
        }
    }

    fn write(&mut self, id: ConnectionId) {
        let Some(one) = self.connections.get_mut(&id) else { return };
        let inbox = &self.inbox;
        let written = one.write(
            |bytes| {
                Counters::add(&inbox.counters.writes, 1);
                Counters::add(&inbox.counters.sent_bytes, bytes as u64);
            },
            |ticket| inbox.append(&Incoming::Sent(ticket)),
        );
        match written {
            Ok(()) if matches!(one.state, State::Ending(_)) => self.end_if_written(id),
            Ok(()) => {}
            Err(_) => self.end(id, 1006, ""),
        }
    }
}

#[cfg(test)]
#[path = "shard_tests.rs"]
mod tests;
