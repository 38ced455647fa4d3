//! Connections that note what is written to them, as a shard would write it.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use bytes::Bytes;

use crate::websocket::{ConnectionId, Writer};

/// What a client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Written {
    /// The broadcast of Redis of this number.
    Redis(u32),
    /// What JavaScript has written, with its number: all of it, and local broadcasts.
    Own(u32),
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// In the order of writing; and whether it was dropped, being volatile.
    pub(super) log: Vec<(Written, bool)>,
    /// What each cork holds.
    pub(super) held: VecDeque<Vec<(Written, bool)>>,
    pub(super) congested: bool,
}

impl Wire {
    fn write(&mut self, written: Written, volatile: bool, held: bool) {
        match self.held.back_mut().filter(|_| held) {
            Some(last) => last.push((written, volatile)),
            None => self.log.push((written, volatile && self.congested)),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Wires(Mutex<HashMap<ConnectionId, Wire>>);

impl Wires {
    pub(super) fn change<T>(&self, id: ConnectionId, change: impl FnOnce(&mut Wire) -> T) -> T {
        change(self.0.lock().unwrap().entry(id).or_default())
    }

    /// JavaScript writes to it.
    pub(super) fn send(&self, id: ConnectionId, written: Written, volatile: bool) {
        self.change(id, |wire| wire.write(written, volatile, false));
    }

    pub(super) fn uncork(&self, id: ConnectionId) {
        self.change(id, |wire| {
            let held = wire.held.pop_front().expect("more is undone than was done");
            for (written, volatile) in held {
                wire.write(written, volatile, false);
            }
        });
    }
}

impl Writer for Wires {
    fn broadcast(&self, targets: &[ConnectionId], frames: &Bytes, volatile: bool, held: bool) {
        let written = written(frames);
        for id in targets {
            self.change(*id, |wire| wire.write(written, volatile, held));
        }
    }

    fn cork(&self, id: ConnectionId) {
        self.change(id, |wire| wire.held.push_back(Vec::new()));
    }

    fn wake(&self) {}
}

/// What is in a packet's text, or in its frame: `["redis",7]` or `["own",7]`.
pub(super) fn written(bytes: &[u8]) -> Written {
    let start = bytes.iter().position(|byte| *byte == b'[').unwrap();
    let (name, number) = serde_json::from_slice::<(String, u32)>(&bytes[start..]).unwrap();
    if name == "redis" { Written::Redis(number) } else { Written::Own(number) }
}
