//! The events of a store, as they cross to JavaScript.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::chunk::{Chunk, EVENT, Entry, Role};
use crate::error::Error;

/// Which of a store's connections, named as the store's properties are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Publishes; and carries the commands too where `redisClient` points to the same place.
    Pub,
    /// Subscribes.
    Sub,
    /// Carries the commands of clients.
    Cmd,
}

/// Entries that a stream has dropped before they were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trimmed {
    /// The stream's name.
    pub stream: String,
    /// The id of the last entry that was read before.
    pub from: String,
    /// The id of the first one that is there after that, or of the last one that was added where none is.
    pub to: String,
}

/// Something that a user of the store may want to know. Times are in ms.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event {
    /// A connection is up; a subscriber's only once all its subscriptions are confirmed.
    Connect {
        /// Which one.
        connection: Link,
        /// Where it leads; see [`LinkState::endpoint`].
        endpoint: String,
    },
    /// A connection that was up is lost.
    Disconnect {
        /// Which one.
        connection: Link,
        /// Where it led: `host:port` or a socket's path. Of several that are one to the user, the one that
        /// is lost.
        endpoint: String,
        /// Why.
        error: Error,
    },
    /// An attempt failed, and another one follows.
    Reconnecting {
        /// Which one.
        connection: Link,
        /// What it is to lead to; see [`LinkState::endpoint`].
        endpoint: String,
        /// How many attempts have failed in this outage.
        attempt: u32,
        /// The pause before the next one, in ms.
        delay: u64,
    },
    /// Messages may have been missed.
    Gap {
        /// Which one. `sub`: messages to this node; else messages of this node to others.
        connection: Link,
        /// Nothing from before this time is missing, in ms since the epoch.
        since: u64,
        /// From `since` until the connection was whole again, in ms.
        duration: u64,
        /// Publishes and commands that were dropped here, exactly.
        dropped: u64,
        /// Publishes of which it is not known whether Redis had them before the connection broke.
        unconfirmed: u64,
        /// The stream that has dropped entries before they were read, if it is one.
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        trimmed: Option<Trimmed>,
    },
    /// Something went wrong that no caller waits for.
    Error {
        /// The connection that it happened on.
        connection: Link,
        /// What.
        error: Error,
    },
    /// The endpoint has something wrong, and works.
    Warning {
        /// The connection.
        connection: Link,
        /// `host:port` or a socket's path.
        endpoint: String,
        /// What is wrong: a stable code.
        code: &'static str,
        /// What is wrong, and what to do.
        message: &'static str,
    },
    /// Servers of this package are gone.
    Peers {
        /// Each as the channel of its namespace's requests, and its uid.
        left: Vec<(String, String)>,
    },
    /// All connections are closed, and all that was queued is dealt with.
    Close,
}

impl Event {
    /// A gap between two times. Both are rounded outwards, so that nothing that was missed lies
    /// outside.
    #[must_use]
    pub fn gap(
        connection: Link,
        (since, until): (SystemTime, SystemTime),
        dropped: u64,
        unconfirmed: u64,
    ) -> Self {
        let (since, until) = (epoch_ms(since), epoch_ms(until) + 1);
        let duration = until.saturating_sub(since);
        Self::Gap { connection, since, duration, dropped, unconfirmed, trimmed: None }
    }

    /// A stream has dropped entries of this time before they were read.
    #[must_use]
    pub fn trimmed(times: (SystemTime, SystemTime), entries: Trimmed) -> Self {
        match Self::gap(Link::Sub, times, 0, 0) {
            Self::Gap { connection, since, duration, dropped, unconfirmed, .. } => {
                let trimmed = Some(entries);
                Self::Gap { connection, since, duration, dropped, unconfirmed, trimmed }
            }
            gap => gap,
        }
    }

    /// The event as the JSON object that crosses to JavaScript.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Only maps with odd keys and failing Serialize impls can fail; there are none here.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Milliseconds since the epoch, as JavaScript's `Date.now()`.
fn epoch_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, ms)
}

/// A duration in whole milliseconds.
#[must_use]
pub fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// It has not been up yet.
    Connecting,
    /// It is up.
    Connected,
    /// It was up and is lost.
    Reconnecting,
    /// It will not come back.
    Closed,
    /// It is up, and Redis refuses a subscription that is required.
    Degraded,
    /// It is up, and Redis has not answered for a while.
    Stalled,
}

impl From<u8> for ConnectionState {
    fn from(state: u8) -> Self {
        match state {
            0 => Self::Connecting,
            1 => Self::Connected,
            2 => Self::Reconnecting,
            4 => Self::Degraded,
            5 => Self::Stalled,
            _ => Self::Closed,
        }
    }
}

/// How a connection is and where it leads, readable from any thread.
#[derive(Debug, Default)]
pub struct LinkState {
    state: AtomicU8,
    place: OnceLock<String>,
    // Where it leads while it is up. A plain mutex: held to copy a name.
    server: Mutex<String>,
}

impl LinkState {
    const NAMES: [&str; 6] =
        ["connecting", "connected", "reconnecting", "closed", "degraded", "stalled"];

    /// It is going to lead to the endpoint that is called so; the first call counts.
    pub fn set_place(&self, place: String) {
        self.place.get_or_init(|| place);
    }

    /// It leads to `server`, once it is up.
    pub fn set_server(&self, server: String) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// It has another state, unless it is closed. Returns the one before.
    pub fn change(&self, state: ConnectionState) -> ConnectionState {
        let change = |before| (before != ConnectionState::Closed as u8).then_some(state as u8);
        let before = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
        ConnectionState::from(before.unwrap_or_else(|closed| closed))
    }

    /// Whether it is up, be it degraded or stalled.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let state = ConnectionState::from(self.state.load(Ordering::Relaxed));
        matches!(
            state,
            ConnectionState::Connected | ConnectionState::Degraded | ConnectionState::Stalled
        )
    }

    /// The name of its state.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let state = usize::from(self.state.load(Ordering::Relaxed));
        Self::NAMES.get(state).copied().unwrap_or("closed")
    }

    /// While it is up, the server that it leads to: `host:port` or a socket's path. Of several connections
    /// that are one to the user, all of these. Else what it is to lead to: of a cluster the first node, of
    /// Sentinels the master's name; empty as long as that is not known.
    #[must_use]
    pub fn endpoint(&self) -> String {
        if self.is_up() {
            return self.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        }
        self.place.get().cloned().unwrap_or_default()
    }
}

impl Entry for Event {
    fn role(&self) -> Role {
        Role::Answer
    }

    fn size(&self) -> usize {
        // Events are few and small.
        0
    }

    /// Index: `EVENT, length`.
    fn write(&self, chunk: &mut Chunk) {
        chunk.put(&[EVENT], &[self.to_json().as_bytes()]);
    }
}
