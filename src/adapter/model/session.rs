//! What Redis brings, to a namespace with real parts up to the connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::broadcast::Origin;
use super::super::entry::payload_kind;
use super::super::namespace::{Broadcasts, Namespace, Requests};
use super::super::packet::Packet;
use super::super::subscriptions::Mode;
use super::super::wire::{self, Limits, Wire};
use super::Random;
use super::javascript::JavaScript;
use super::wires::Wires;
use crate::backplane::{Backplane, Options, QueueLimits};
use crate::event_loop;
use crate::event_loop::Overflow;
use crate::pubsub::Consumer;
use crate::websocket::Fanout;

/// A room, as JSON and as the sockets' names have it. The last two share a channel.
pub(super) const ROOMS: [(&str, &str, &str); 4] = [
    (r#""a""#, "a", "a"),
    (r#""\u0000b""#, "\0b", "\0\0b"),
    (r#""1""#, "1", "1"),
    ("1", "1", "\x001"),
];

/// For whom a broadcast is: rooms by their place in [`ROOMS`].
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) rooms: Vec<usize>,
    pub(super) except: Vec<usize>,
    pub(super) volatile: bool,
}

impl Filter {
    pub(super) fn random(random: &mut Random) -> Self {
        let mut some = |most| {
            let count = random.below(most);
            let mut rooms: Vec<_> = (0..count).map(|_| random.below(ROOMS.len())).collect();
            rooms.dedup();
            rooms
        };
        let rooms = some(3);
        let except = if rooms.len() == 1 { vec![] } else { some(2) };
        Self { rooms, except, volatile: random.one_in(4) }
    }

    pub(super) fn is_for(&self, joined: [bool; ROOMS.len()]) -> bool {
        let is_in = |rooms: &[usize]| rooms.iter().any(|room| joined[*room]);
        (self.rooms.is_empty() || is_in(&self.rooms)) && !is_in(&self.except)
    }

    pub(super) fn json(&self) -> String {
        let list =
            |rooms: &[usize]| rooms.iter().map(|room| ROOMS[*room].0).collect::<Vec<_>>().join(",");
        let (rooms, except) = (list(&self.rooms), list(&self.except));
        let flags = if self.volatile { r#"{"volatile":true}"# } else { "{}" };
        format!(r#"{{"rooms":[{rooms}],"except":[{except}],"flags":{flags}}}"#)
    }
}

const CHANNEL: &str = "socket.io#/#";
const LIMITS: Limits = Limits { rooms: 100, attachments: 10, bytes: 1 << 20 };

/// The session's side of a namespace.
pub(super) struct Redis {
    pub(super) backplane: Backplane,
    broadcasts: Broadcasts,
    requests: Requests,
}

/// A namespace whose chunks hold so many entries; its mailbox may drop messages where it is `lossy`.
pub(super) fn start(
    entries: usize,
    lossy: bool,
    runtime: &tokio::runtime::Handle,
) -> (Redis, JavaScript) {
    let overflow = if lossy { Overflow::DropOldest } else { Overflow::Wait };
    // So few that a mailbox that may drop does.
    let messages = if lossy { entries } else { 64 * entries };
    let options = Options {
        queue: QueueLimits { messages: 10, bytes: 1000 },
        mailbox: event_loop::Limits { messages, bytes: 1 << 20, overflow },
        command_timeout: Duration::from_secs(1),
    };
    let woken = Arc::new(AtomicBool::new(false));
    let waker = Arc::clone(&woken);
    let wake = Box::new(move || waker.store(true, Ordering::SeqCst));
    let backplane = Backplane::new(runtime.clone(), options, wake);
    let origin = Origin {
        uid: "here".to_owned(),
        nsp: "/".to_owned(),
        channel: CHANNEL.to_owned(),
        wire: Wire::Classic,
        mode: Mode::Pattern,
        stream: None,
        emitter: false,
        recent_joins: None,
    };
    let events = Arc::clone(backplane.events());
    let namespace = Arc::new(Namespace::new(1, Arc::new(origin), false, LIMITS, events));
    let wires = Arc::new(Wires::default());
    let fanout = Arc::new(Fanout::writing_to(Arc::clone(&wires) as _));
    assert!(namespace.fanout.set(Arc::clone(&fanout)).is_ok());
    let broadcasts = Broadcasts::new(Arc::clone(&namespace));
    let requests = Requests { namespace: Arc::clone(&namespace), kind: payload_kind::REQUEST };
    let javascript = JavaScript::new(namespace, fanout, wires, woken);
    (Redis { backplane, broadcasts, requests }, javascript)
}

impl Redis {
    /// Redis brings a broadcast.
    pub(super) fn broadcast(&self, number: u32, filter: &Filter) {
        let data = format!(r#"["redis",{number}]"#);
        let packet = Packet { kind: 2, data: Some(data.into()), ..Packet::default() };
        let payload = wire::encode("there", &packet, "/", &filter.json()).unwrap();
        let channel = match &*filter.rooms {
            [room] => format!("{CHANNEL}{}#", ROOMS[*room].1),
            _ => CHANNEL.to_owned(),
        };
        self.broadcasts.message(channel.as_bytes(), &payload);
    }

    /// Redis brings a request, at which JavaScript will do something, behind so many broadcasts.
    pub(super) fn request(&self, behind: u32) {
        self.requests.message(b"request", behind.to_string().as_bytes());
    }
}
