//! Which channels a namespace is subscribed to.

use std::sync::Arc;

use super::namespace::{Broadcasts, Inbox, Kind, Namespace};
use crate::backplane::{Backplane, Origin};
use crate::pubsub::{self, Consumer};
use crate::rooms::Strays;

/// Which channels of broadcasts a namespace is subscribed to (the option `subscriptionMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All, by one pattern, as `@socket.io/redis-adapter` does.
    Pattern,
    /// The namespace's, and one for each room that is held here. The rooms that sockets have
    /// under their ids come and go with every connection, so those share one pattern.
    Dynamic,
    /// The same, with a channel for the id of each socket too.
    DynamicPrivate,
}

/// The length of a socket's id, in bytes.
const ID_LENGTH: usize = 20;

/// A namespace and its subscriptions, which end with it.
pub(super) struct Subscribed {
    backplane: Arc<Backplane>,
    namespace: Arc<Namespace>,
    mode: Mode,
    broadcasts: Arc<dyn Consumer>,
    fixed: Vec<(pubsub::Kind, String, Arc<dyn Consumer>)>,
}

impl Subscribed {
    pub(super) fn new(
        backplane: Arc<Backplane>,
        namespace: Arc<Namespace>,
        mode: Mode,
        key: &str,
    ) -> Self {
        let broadcasts: Arc<dyn Consumer> = Arc::new(Broadcasts(Arc::clone(&namespace)));
        let fixed = fixed(&namespace, mode, key, &broadcasts);
        for (kind, name, consumer) in &fixed {
            backplane.subscribe(*kind, name, Arc::clone(consumer), None);
        }
        Self { backplane, namespace, mode, broadcasts, fixed }
    }

    pub(super) fn origin(&self) -> &Arc<Origin> {
        &self.namespace.origin
    }

    /// The first has joined each of `added` and the last has left each of `removed`. With a ticket,
    /// a reply comes once the subscription that the room needs, if any, is confirmed.
    pub(super) fn hold(&self, added: &[(String, Option<u32>)], removed: &[String]) {
        for (room, ticket) in added {
            self.namespace.hold(room);
            match self.channel(room) {
                Some(name) => {
                    let consumer = Arc::clone(&self.broadcasts);
                    self.backplane.subscribe(pubsub::Kind::Channel, &name, consumer, *ticket);
                }
                None => self.backplane.reporter().settle(ticket.as_slice()),
            }
        }
        for room in removed {
            if self.namespace.release(room) {
                self.leave(room);
            }
        }
    }

    /// The event loop has begun another turn; see [`Namespace::take_strays`].
    pub(super) fn take_strays(&self) -> Strays {
        self.namespace.take_strays()
    }

    fn leave(&self, room: &str) {
        if let Some(name) = self.channel(room) {
            self.backplane.unsubscribe(pubsub::Kind::Channel, &name, &self.broadcasts, None);
        }
    }

    /// The channel that a room needs for itself.
    fn channel(&self, room: &str) -> Option<String> {
        let own = match self.mode {
            Mode::Pattern => false,
            Mode::Dynamic => room.len() != ID_LENGTH,
            Mode::DynamicPrivate => true,
        };
        own.then(|| format!("{}{room}#", self.origin().channel))
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.namespace.held().iter().for_each(|room| self.leave(room));
        for (kind, name, consumer) in &self.fixed {
            self.backplane.unsubscribe(*kind, name, consumer, None);
        }
    }
}

/// The subscriptions that do not depend on rooms.
fn fixed(
    namespace: &Arc<Namespace>,
    mode: Mode,
    key: &str,
    broadcasts: &Arc<dyn Consumer>,
) -> Vec<(pubsub::Kind, String, Arc<dyn Consumer>)> {
    use pubsub::Kind::{Channel, Pattern};
    let inbox = |kind| -> Arc<dyn Consumer> { Arc::new(Inbox(Arc::clone(namespace), kind)) };
    let Origin { uid, nsp, channel } = &*namespace.origin;
    let pattern = |rest: &str| (Pattern, literally(channel) + rest, Arc::clone(broadcasts));
    let responses = inbox(Kind::Response);
    let mut all = match mode {
        Mode::Pattern => vec![pattern("*")],
        Mode::Dynamic => vec![pattern(&("?".repeat(ID_LENGTH) + "#"))],
        Mode::DynamicPrivate => vec![],
    };
    if mode != Mode::Pattern {
        all.push((Channel, channel.clone(), Arc::clone(broadcasts)));
    }
    let requests = inbox(Kind::Request);
    all.extend([
        (Channel, format!("{key}-native#{nsp}#"), Arc::clone(&requests)),
        // Tells others that this server is one of this package.
        (Channel, format!("{key}-native#{nsp}#{uid}#"), Arc::clone(&requests)),
        (Channel, format!("{key}-response#{nsp}#"), Arc::clone(&responses)),
        (Channel, format!("{key}-response#{nsp}#{uid}#"), responses),
        // The last, since it is what others count.
        (Channel, format!("{key}-request#{nsp}#"), requests),
    ]);
    all
}

/// A pattern that matches `text` and nothing else.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
