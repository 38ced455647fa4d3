//! The adapter of Socket.IO 4: namespaces on one backplane, on the wire of
//! `@socket.io/redis-adapter`.

mod namespace;
mod subscription;

pub use subscription::Mode;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::namespace::Namespace;
use self::subscription::Subscribed;
use crate::backplane::{Backplane, Broadcast, Origin, Request, Target};

/// What a namespace is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The option `key`: what all channels begin with.
    pub key: String,
    /// The namespace's name.
    pub nsp: String,
    /// What marks this server's messages.
    pub uid: String,
    /// Which channels are subscribed to.
    pub mode: Mode,
    /// Whether broadcasts are handed over as they are, for a parser of the application's own.
    pub raw: bool,
}

/// What a broadcast is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Whom it is for.
    pub target: Target,
    /// The packet as Socket.IO text.
    pub text: String,
    /// Its binary parts.
    pub attachments: Vec<Vec<u8>>,
}

impl Outgoing {
    /// Text for one room, or for all when `room` is empty.
    #[must_use]
    pub fn simple(room: String, text: String) -> Self {
        let target = if room.is_empty() { Target::All } else { Target::Room(room) };
        Self { target, text, attachments: Vec::new() }
    }
}

/// The namespaces of the servers that share a backplane.
pub struct Adapter {
    backplane: Arc<Backplane>,
    // A plain mutex: only the event loop takes it.
    namespaces: Mutex<Namespaces>,
}

#[derive(Default)]
struct Namespaces {
    by_number: HashMap<u32, Subscribed>,
    last: u32,
}

impl Adapter {
    /// An adapter without namespaces.
    #[must_use]
    pub fn new(backplane: Arc<Backplane>) -> Self {
        Self { backplane, namespaces: Mutex::default() }
    }

    /// Opens a namespace: subscribes to its channels. Returns the number by which it goes.
    pub fn open(&self, opening: Opening) -> u32 {
        self.change(|namespaces| {
            namespaces.last = namespaces.last.wrapping_add(1);
            let number = namespaces.last;
            let Opening { key, nsp, uid, mode, raw } = opening;
            let channel = format!("{key}#{nsp}#");
            let origin = Arc::new(Origin { uid, nsp, channel });
            let reporter = Arc::clone(self.backplane.reporter());
            let namespace = Arc::new(Namespace::new(number, origin, raw, reporter));
            let subscribed = Subscribed::new(Arc::clone(&self.backplane), namespace, mode, &key);
            namespaces.by_number.insert(number, subscribed);
            number
        })
    }

    /// Closes a namespace: leaves all its channels.
    pub fn close(&self, number: u32) {
        // Dropped outside of the lock.
        let closed = self.change(|namespaces| namespaces.by_number.remove(&number));
        drop(closed);
    }

    /// The first has joined each of `added` and the last has left each of `removed`. With a ticket,
    /// a reply comes once the subscription that the room needs, if any, is confirmed.
    pub fn hold(&self, number: u32, added: &[(String, Option<u32>)], removed: &[String]) {
        self.change(|namespaces| {
            match namespaces.by_number.get(&number) {
                Some(subscribed) => subscribed.hold(added, removed),
                // It is closed: there is nothing to wait for.
                None => added.iter().for_each(|(_, ticket)| {
                    self.backplane.reporter().settle(ticket.as_slice());
                }),
            }
        });
    }

    /// The event loop has begun another turn: whoever joined a room in the last one has been told.
    pub fn turn(&self) {
        if self.backplane.reporter().take_strays() {
            let strays: Vec<_> = self.change(|namespaces| {
                namespaces.by_number.values().map(Subscribed::take_strays).collect()
            });
            // The event loop has better things to do than to free thousands of them.
            self.backplane.drop_elsewhere(strays);
        }
    }

    /// Publishes a broadcast.
    pub fn broadcast(&self, number: u32, outgoing: Outgoing) {
        let origin = self.change(|namespaces| {
            namespaces.by_number.get(&number).map(|subscribed| Arc::clone(subscribed.origin()))
        });
        if let Some(origin) = origin {
            let Outgoing { target, text, attachments } = outgoing;
            let broadcast = Broadcast { origin, target, text, attachments };
            self.backplane.send(Request::Broadcast(broadcast), None);
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Namespaces) -> T) -> T {
        change(&mut self.namespaces.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
