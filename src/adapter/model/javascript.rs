//! What lib/adapter does, as far as it matters for who gets what.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::broadcast::{Outgoing, Target};
use super::super::entry::{BROADCAST, PAYLOAD};
use super::super::namespace::Namespace;
use super::Random;
use super::session::{Filter, ROOMS};
use super::wires::{Wires, Written, written};
use crate::backplane::Backplane;
use crate::event_loop::Chunk;
use crate::websocket::Fanout;

/// A Socket.IO socket. None takes the place of another one here.
#[derive(Debug)]
pub(super) struct Socket {
    member: u32,
    connection: u32,
    pub(super) alive: bool,
    pub(super) rooms: [bool; ROOMS.len()],
    /// Whether it is native for what is broadcast now.
    pub(super) native: bool,
    /// The same for what is drained.
    drained_native: bool,
}

impl Socket {
    pub(super) fn count(&self, wires: &Wires, is_it: impl Fn(Written) -> bool) -> usize {
        wires.change(self.connection, |wire| {
            let log = wire.log.iter().chain(wire.held.iter().flatten());
            log.filter(|(logged, _)| is_it(*logged)).count()
        })
    }
}

/// A change of mode that counts for chunks from this one on.
struct Change {
    chunk: u64,
    socket: usize,
    native: bool,
}

enum Drained {
    Broadcast(u32),
    /// So many broadcasts were before it.
    Request(u32),
}

pub(super) struct JavaScript {
    namespace: Arc<Namespace>,
    fanout: Arc<Fanout>,
    pub(super) wires: Arc<Wires>,
    woken: Arc<AtomicBool>,
    pub(super) sockets: Vec<Socket>,
    /// Of the broadcasts of Redis, by number.
    pub(super) filters: Vec<Filter>,
    changes: VecDeque<Change>,
    in_hands: VecDeque<Drained>,
    more: bool,
    /// Whether the application does something at a request.
    pub(super) acts: bool,
    /// How many requests have been handled.
    pub(super) handled: u32,
    /// Of rooms by their text, how many more there are than was reported.
    unreported: HashMap<&'static str, i32>,
    /// The number of the next thing that is written.
    next: u32,
    /// What was written at a request, and the broadcasts before that.
    replies: HashMap<u32, u32>,
}

impl JavaScript {
    pub(super) fn new(
        namespace: Arc<Namespace>,
        fanout: Arc<Fanout>,
        wires: Arc<Wires>,
        woken: Arc<AtomicBool>,
    ) -> Self {
        Self {
            namespace,
            fanout,
            wires,
            woken,
            sockets: Vec::new(),
            filters: Vec::new(),
            changes: VecDeque::new(),
            in_hands: VecDeque::new(),
            more: false,
            acts: true,
            handled: 0,
            unreported: HashMap::new(),
            next: 0,
            replies: HashMap::new(),
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.more || !self.in_hands.is_empty() || self.woken.load(Ordering::SeqCst)
    }

    /// Something that the application does.
    pub(super) fn act(&mut self, random: &mut Random) {
        let alive: Vec<_> = (0..self.sockets.len()).filter(|at| self.sockets[*at].alive).collect();
        if alive.len() < 2 || (alive.len() < 5 && random.one_in(8)) {
            return self.add(random);
        }
        let socket = random.pick(&alive);
        match random.below(12) {
            0..=2 => self.join(socket, random.below(ROOMS.len())),
            3 => self.leave(socket, random.below(ROOMS.len())),
            4..=5 => self.change_mode(socket),
            6 => self.remove(socket),
            7..=8 => _ = self.unicast(socket),
            9..=10 => self.broadcast(&Filter::random(random)),
            _ => {
                let connection = self.sockets[socket].connection;
                self.wires.change(connection, |wire| wire.congested = !wire.congested);
            }
        }
    }

    pub(super) fn add(&mut self, random: &mut Random) {
        let connection = u32::try_from(self.sockets.len()).unwrap() + 1;
        let native = random.one_in(2);
        let member = self.fanout.add(if native { connection } else { 0 });
        let rooms = [false; ROOMS.len()];
        let drained_native = native;
        self.sockets.push(Socket {
            member,
            connection,
            alive: true,
            rooms,
            native,
            drained_native,
        });
    }

    fn remove(&mut self, socket: usize) {
        (0..ROOMS.len()).for_each(|room| self.leave(socket, room));
        self.fanout.remove(self.sockets[socket].member);
        self.sockets[socket].alive = false;
    }

    pub(super) fn join(&mut self, socket: usize, room: usize) {
        if std::mem::replace(&mut self.sockets[socket].rooms[room], true) {
            return;
        }
        if self.count(room) == 1 {
            *self.unreported.entry(ROOMS[room].1).or_default() += 1;
        }
        self.fanout.join(self.sockets[socket].member, ROOMS[room].2);
    }

    pub(super) fn leave(&mut self, socket: usize, room: usize) {
        if !std::mem::replace(&mut self.sockets[socket].rooms[room], false) {
            return;
        }
        if self.count(room) == 0 {
            *self.unreported.entry(ROOMS[room].1).or_default() -= 1;
        }
        self.fanout.leave(self.sockets[socket].member, ROOMS[room].2);
    }

    fn count(&self, room: usize) -> usize {
        self.sockets.iter().filter(|socket| socket.rooms[room]).count()
    }

    pub(super) fn change_mode(&mut self, socket: usize) {
        let Socket { member, connection, native, .. } = &mut self.sockets[socket];
        *native = !*native;
        let (native, connection) = (*native, if *native { *connection } else { 0 });
        let chunk = self.namespace.events.set_mode(&self.fanout, *member, connection);
        self.changes.push_back(Change { chunk, socket, native });
    }

    pub(super) fn unicast(&mut self, socket: usize) -> u32 {
        let number = self.number();
        self.wires.send(self.sockets[socket].connection, Written::Own(number), false);
        number
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// `io.local.to(…).emit(…)`
    fn broadcast(&mut self, filter: &Filter) {
        let number = self.number();
        let target = match &*filter.rooms {
            [room]
                if ROOMS[*room].0.starts_with('"')
                    && !filter.volatile
                    && filter.except.is_empty() =>
            {
                Target::Room(ROOMS[*room].1.to_owned())
            }
            _ => Target::Given { room: None, opts: filter.json() },
        };
        let text = format!(r#"2["own",{number}]"#);
        let others = self.namespace.write_local(&Outgoing { target, text, attachments: vec![] });
        for socket in self.sockets.iter().filter(|socket| socket.alive) {
            let meant = filter.is_for(socket.rooms);
            if meant && !socket.native {
                assert!(others, "JavaScript is not asked to write to {socket:?}");
                self.wires.send(socket.connection, Written::Own(number), filter.volatile);
            }
            let count = socket.count(&self.wires, |written| written == Written::Own(number));
            assert_eq!(count, usize::from(meant), "{filter:?} of {socket:?}");
        }
    }

    /// One turn of the event loop: the next entry, or a drain; then, what is at hands.
    pub(super) fn turn(&mut self, backplane: &Backplane, random: &mut Random) -> Option<u64> {
        if let Some(next) = self.in_hands.pop_front() {
            self.handle(&next, random);
            return None;
        }
        if !self.woken.swap(false, Ordering::SeqCst) && !self.more {
            return None;
        }
        self.report();
        let drained = backplane.drain();
        self.more = drained.as_ref().is_some_and(|drained| drained.more);
        let reached = drained.as_ref().map_or(u64::MAX, |drained| drained.chunk.number);
        while self.changes.front().is_some_and(|change| change.chunk <= reached) {
            let Change { socket, native, .. } = self.changes.pop_front().unwrap();
            let socket = &mut self.sockets[socket];
            socket.drained_native = native;
            if native {
                self.wires.uncork(socket.connection);
            }
        }
        self.in_hands = drained.map(|drained| entries(&drained.chunk)).unwrap_or_default();
        Some(reached)
    }

    /// Which rooms have come and gone, as `LocalRooms` of lib/adapter.
    fn report(&mut self) {
        for (name, change) in self.unreported.drain() {
            (0..change).for_each(|_| _ = self.namespace.rooms.add(name));
            (change..0).for_each(|_| _ = self.namespace.rooms.remove(name));
        }
    }

    fn handle(&mut self, drained: &Drained, random: &mut Random) {
        match *drained {
            Drained::Broadcast(number) => {
                let filter = &self.filters[number as usize];
                let sockets = self.sockets.iter().filter(|socket| socket.alive);
                for socket in sockets.filter(|socket| !socket.drained_native) {
                    if filter.is_for(socket.rooms) {
                        self.wires.send(socket.connection, Written::Redis(number), filter.volatile);
                    }
                }
            }
            Drained::Request(before) => {
                let alive: Vec<_> =
                    (0..self.sockets.len()).filter(|at| self.sockets[*at].alive).collect();
                for _ in 0..random.below(if self.acts { 3 } else { 1 }) {
                    self.act(random);
                }
                for socket in alive {
                    if self.sockets[socket].alive {
                        let reply = self.unicast(socket);
                        self.replies.insert(reply, before);
                    }
                }
                self.handled += 1;
            }
        }
    }

    /// What must hold when all is done.
    pub(super) fn check_end(&self) {
        assert!(self.changes.is_empty(), "a change of mode was never applied");
        for socket in &self.sockets {
            self.wires.change(socket.connection, |wire| {
                assert_eq!(wire.held.len(), 0, "{socket:?} is corked");
                self.check_log(&wire.log);
            });
        }
    }

    fn check_log(&self, log: &[(Written, bool)]) {
        let (mut redis, mut own) = (None, None);
        // Broadcasts before it must not follow.
        let mut answered = 0;
        for (written, dropped) in log {
            match *written {
                Written::Redis(number) => {
                    assert!(redis < Some(number), "Redis' order: {log:?}");
                    assert!(
                        number >= answered,
                        "{number} after the answer to a later request: {log:?}"
                    );
                    assert!(!dropped || self.filters[number as usize].volatile, "{log:?}");
                    redis = Some(number);
                }
                Written::Own(number) => {
                    assert!(own < Some(number), "JavaScript's order: {log:?}");
                    own = Some(number);
                    if let Some(before) = self.replies.get(&number) {
                        answered = *before;
                        assert!(
                            redis < Some(*before),
                            "{redis:?} before the answer to an earlier request: {log:?}"
                        );
                    }
                }
            }
        }
    }
}

/// What a batch holds.
fn entries(chunk: &Chunk) -> VecDeque<Drained> {
    let (mut index, mut bytes) = (&*chunk.index, &*chunk.bytes);
    let mut entries = VecDeque::new();
    while let [kind, rest @ ..] = index {
        // Where the lengths are, and how many words there are.
        let (lengths, words) = match *kind {
            BROADCAST => (&rest[2..6], 7),
            PAYLOAD => (&rest[2..4], 4),
            kind => panic!("{kind}"),
        };
        let (text, before) = lengths.split_last().unwrap();
        let (_, text_on) = bytes.split_at(before.iter().sum::<u32>() as usize);
        let (text, others) = text_on.split_at(*text as usize);
        entries.push_back(match *kind {
            BROADCAST => match written(text) {
                Written::Redis(number) => Drained::Broadcast(number),
                own @ Written::Own(_) => panic!("{own:?} has come back"),
            },
            _ => Drained::Request(str::from_utf8(text).unwrap().parse().unwrap()),
        });
        (index, bytes) = (&rest[words..], others);
    }
    entries
}
