//! What `stats()` returns, as it crosses to JavaScript.

use std::sync::atomic::AtomicU64;

use napi_derive::napi;

use crate::backplane::Backplane;
use crate::event_loop::Counters;

/// Counters and queue depths.
#[napi(object)]
pub struct NativeStats {
    /// Publishes that Redis confirmed.
    pub published: f64,
    /// Messages that arrived.
    pub received: f64,
    /// Messages handed to the event loop.
    pub delivered: f64,
    /// Broadcasts written to native sockets, be they handed to the event loop too.
    pub delivered_natively: f64,
    /// To how many sockets, all in all.
    pub native_writes: f64,
    /// Own messages that came back.
    pub filtered_own: f64,
    /// Broadcasts for rooms that have no socket here.
    pub filtered_rooms: f64,
    /// Broadcasts for another namespace.
    pub filtered_namespaces: f64,
    /// Responses that arrived while this server had asked for none.
    pub filtered_responses: f64,
    /// Messages that the full mailbox dropped.
    pub overflowed: f64,
    /// Messages that could not be understood.
    pub malformed: f64,
    /// Publishes and commands that never left.
    pub dropped: f64,
    /// Publishes of which it is not known whether Redis had them.
    pub unconfirmed: f64,
    /// Bugs that were contained.
    pub internal_errors: f64,
    /// Connections that came back.
    pub reconnects: f64,
    /// Messages and bytes in the queues: publish, command, mailbox.
    pub depths: Vec<f64>,
    /// The connections that publish, subscribe and carry commands.
    pub links: Vec<NativeLink>,
    /// Up to 100 channels and patterns that Redis refuses.
    pub refused: Vec<String>,
    /// `on`, `off`, or `refused` by Redis.
    pub heartbeat: String,
    /// How many other processes of this package are there, as heartbeats tell.
    pub peers: f64,
}

/// One connection.
#[napi(object)]
pub struct NativeLink {
    /// `connecting`, `connected`, `degraded`, `stalled`, `reconnecting` or `closed`.
    pub state: String,
    /// Where it leads while it is up: `host:port` or a socket's path, or all of those, with `, ` between
    /// them. Else what it is to lead to.
    pub endpoint: String,
}

impl NativeStats {
    pub(super) fn of(backplane: &Backplane) -> Self {
        let (counters, depths) = (backplane.counters(), backplane.snapshot());
        let read = |counter: &AtomicU64| number(Counters::read(counter));
        let link =
            |(state, endpoint): (&str, String)| NativeLink { state: state.to_owned(), endpoint };
        Self {
            published: read(&counters.published),
            received: read(&counters.received),
            delivered: read(&counters.delivered),
            delivered_natively: read(&counters.delivered_natively),
            native_writes: read(&counters.native_writes),
            filtered_own: read(&counters.filtered_own),
            filtered_rooms: read(&counters.filtered_rooms),
            filtered_namespaces: read(&counters.filtered_namespaces),
            filtered_responses: read(&counters.filtered_responses),
            overflowed: read(&counters.overflowed),
            malformed: read(&counters.malformed),
            dropped: read(&counters.dropped),
            unconfirmed: read(&counters.unconfirmed),
            internal_errors: read(&counters.internal_errors),
            reconnects: read(&counters.reconnects),
            depths: [depths.publish, depths.command, depths.mailbox]
                .iter()
                .flat_map(|&(messages, bytes)| [messages as u64, bytes as u64])
                .map(number)
                .collect(),
            links: backplane.links().map(link).into(),
            refused: backplane.refused_subscriptions(),
            heartbeat: backplane.heartbeat().to_owned(),
            peers: number(backplane.peer_count() as u64),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are doubles")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
