//! Random interleavings of what Redis brings and what JavaScript does, against simple rules:
//!
//! - Each socket gets each broadcast at most once: for certain if it is meant from the moment at which all
//!   that is before it in Redis' order has been handled until JavaScript is past it, never if it is not
//!   meant at any moment.
//! - A native socket that has nothing to wait for gets just what it is meant for when it is read.
//! - Each gets the broadcasts of Redis in the order of Redis, and what JavaScript writes in the order of
//!   writing, also what JavaScript writes because of a request in between.
//! - In the end nothing waits, and no connection is corked.
//!
//! All of it is real but the connections and what lib/adapter does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod javascript;
mod session;
mod threads;
mod wires;

use self::javascript::JavaScript;
use self::session::{Filter, Redis, start};
use self::wires::Written;

/// A small, seeded generator (splitmix64): a failure names its seed.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// A broadcast of Redis that JavaScript is not past.
#[derive(Debug)]
struct Live {
    number: u32,
    filter: Filter,
    /// The requests before it.
    gates: u32,
    /// The last chunk in which it can be.
    chunk: u64,
    /// What is known of each socket.
    fates: Vec<Fate>,
}

#[derive(Debug, Clone, Copy)]
struct Fate {
    /// Whether it has been meant at every moment since all before was handled.
    always: bool,
    /// Whether it has been meant at any moment.
    ever: bool,
    /// Whether it was native and had nothing to wait for: then whether it was meant.
    exact: Option<bool>,
}

struct World {
    random: Random,
    redis: Redis,
    javascript: JavaScript,
    live: Vec<Live>,
    sent: u32,
    gates: u32,
    /// Whether messages may be lost.
    lossy: bool,
}

impl World {
    fn new(seed: u64, runtime: &tokio::runtime::Handle) -> Self {
        let mut random = Random(seed);
        let lossy = random.one_in(5);
        let (redis, javascript) = start(1 + random.below(4), lossy, runtime);
        let (live, sent, gates) = Default::default();
        Self { random, redis, javascript, live, sent, gates, lossy }
    }

    fn run(&mut self) {
        for _ in 0..80 {
            match self.random.below(12) {
                0..=2 => self.broadcast(),
                3 => self.request(),
                4 => self.redis.backplane.events().wake(),
                5..=8 => self.turn(),
                _ => self.javascript.act(&mut self.random),
            }
            self.note();
        }
        self.redis.backplane.events().wake();
        while self.javascript.is_due() {
            self.turn();
            self.note();
        }
        for live in std::mem::take(&mut self.live) {
            self.close(&live);
        }
        assert_eq!(self.redis.backplane.events().waiting(), 0, "something waits for ever");
        self.javascript.check_end();
    }

    fn turn(&mut self) {
        let Some(reached) = self.javascript.turn(&self.redis.backplane, &mut self.random) else {
            return;
        };
        let (over, live) =
            std::mem::take(&mut self.live).into_iter().partition(|live| live.chunk < reached);
        self.live = live;
        let over: Vec<Live> = over;
        for live in &over {
            self.close(live);
        }
    }

    /// Redis brings a broadcast.
    fn broadcast(&mut self) {
        let filter = Filter::random(&mut self.random);
        let number = self.sent;
        self.sent += 1;
        let gated = self.redis.backplane.events().is_gated();
        let sockets = self.javascript.sockets.iter();
        let exact = sockets.map(|socket| {
            let exact = socket.alive && socket.native && !gated;
            exact.then(|| filter.is_for(socket.rooms))
        });
        let fates = exact.map(|exact| Fate { always: true, ever: false, exact }).collect();
        self.redis.broadcast(number, &filter);
        self.javascript.filters.push(filter.clone());
        let chunk = self.redis.backplane.events().last_chunk();
        self.live.push(Live { number, filter, gates: self.gates, chunk, fates });
    }

    /// Redis brings a request, at which JavaScript will do something.
    fn request(&mut self) {
        self.gates += 1;
        self.redis.request(self.sent);
    }

    /// Notes for whom broadcasts are meant now.
    fn note(&mut self) {
        for live in &mut self.live {
            // Those that have come since were meant at no moment before.
            let always = self.javascript.handled < live.gates;
            let fate = Fate { always, ever: false, exact: None };
            live.fates.resize(self.javascript.sockets.len(), fate);
            for (fate, socket) in live.fates.iter_mut().zip(&self.javascript.sockets) {
                let meant = socket.alive && live.filter.is_for(socket.rooms);
                fate.ever |= meant;
                fate.always &= meant || self.javascript.handled < live.gates;
            }
        }
    }

    /// JavaScript is past a broadcast.
    fn close(&self, live: &Live) {
        for (socket, fate) in self.javascript.sockets.iter().zip(&live.fates) {
            let is_it = |written| written == Written::Redis(live.number);
            let count = socket.count(&self.javascript.wires, is_it);
            let about = || format!("{live:?} of {socket:?}");
            assert!(count <= 1, "doubled: {}", about());
            assert!(count == 0 || fate.ever, "not meant: {}", about());
            if let Some(meant) = fate.exact {
                assert_eq!(count == 1, meant, "native: {}", about());
            }
            assert!(count == 1 || !fate.always || self.lossy, "lost: {}", about());
        }
    }
}

#[test]
fn every_socket_gets_what_is_meant_for_it_once_and_in_order() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let runs = std::env::var("MODEL_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2000);
    for seed in 0..runs {
        let mut world = World::new(seed, runtime.handle());
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}
