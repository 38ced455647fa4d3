//! What a `NativeAdapter` is made from, and its namespaces are opened with, as it crosses from JavaScript.

use std::time::Duration;

use napi_derive::napi;

use super::options::to_usize;
use crate::adapter::{Channels, Limits, Mode, Opening};
use crate::streams::ReadOptions;

/// Redis is not asked to wait longer, so that a connection that is dead is noticed soon.
const LONGEST_BLOCK: Duration = Duration::from_secs(1);
/// The option `subscriptionMode`.
#[napi(string_enum = "kebab-case")]
pub enum SubscriptionMode {
    /// See `adapter::Mode`.
    Pattern,
    /// See `adapter::Mode`.
    Dynamic,
    /// See `adapter::Mode`.
    DynamicPrivate,
}

/// Whose messages are on an adapter's channels.
#[napi(string_enum = "kebab-case")]
pub enum AdapterWire {
    /// See `adapter::Wire`.
    Classic,
    /// See `adapter::Wire`.
    Sharded,
    /// See `adapter::Wire`.
    Streams,
}

/// The streams of an adapter.
#[napi(object)]
pub struct NativeStreams {
    /// The names of all.
    pub names: Vec<String>,
    /// How many entries each keeps, about.
    pub max_len: f64,
    /// How many entries are read at once.
    pub read_count: u32,
    /// How long Redis waits for an entry before it says that there is none, in ms.
    pub block_time: u32,
    /// Whether what is not kept goes over channels of the shards that own their slots.
    pub sharded: bool,
}

/// What a namespace is opened with.
#[napi(object)]
pub struct NativeOpening {
    /// The namespace's name.
    pub nsp: String,
    /// What marks this server's messages.
    pub uid: String,
    /// The namespace's channels.
    pub channels: NativeChannels,
    /// The option `subscriptionMode`.
    pub mode: SubscriptionMode,
    /// Whether broadcasts are handed over as they are, for a parser of the application's own.
    pub raw: bool,
    /// The name of the stream that its broadcasts are entries of, where there are streams.
    pub stream: Option<String>,
    /// Whether packets get the ids of their entries, by which clients recover what they have missed.
    pub recovers: Option<bool>,
    /// How long a server may take to do what it is asked for, in ms.
    pub requests_timeout: u32,
    /// The option `limits`.
    pub limits: NativeLimits,
    /// Whether this is no server: it hears nothing but responses, once their subscriptions are confirmed.
    pub emitter: Option<bool>,
}

/// What one message may hold: see `adapter::Limits`.
#[napi(object)]
pub struct NativeLimits {
    /// Rooms, and exceptions.
    pub rooms: u32,
    /// Binary parts.
    pub attachments: u32,
    /// Bytes of its payload.
    pub bytes: f64,
}

/// The channels of a namespace: see `adapter::Channels`.
#[napi(object)]
pub struct NativeChannels {
    /// Broadcasts; that of a room has the room's name and `#` behind it.
    pub broadcasts: String,
    /// The pattern of all broadcasts.
    pub all_broadcasts: String,
    /// The pattern of broadcasts to single sockets.
    pub socket_broadcasts: String,
    /// Requests to all servers.
    pub requests: String,
    /// Responses.
    pub responses: String,
    /// Responses to this server alone.
    pub own_responses: String,
    /// Requests among servers of this package.
    pub native_requests: String,
}

impl From<&NativeStreams> for ReadOptions {
    fn from(streams: &NativeStreams) -> Self {
        let block = Duration::from_millis(streams.block_time.into()).min(LONGEST_BLOCK);
        Self { count: streams.read_count, block }
    }
}

impl From<NativeOpening> for Opening {
    fn from(opening: NativeOpening) -> Self {
        Self {
            nsp: opening.nsp,
            uid: opening.uid,
            channels: opening.channels.into(),
            mode: opening.mode.into(),
            raw: opening.raw,
            stream: opening.stream,
            recovers: opening.recovers.unwrap_or_default(),
            limits: opening.limits.into(),
            requests_timeout: Duration::from_millis(opening.requests_timeout.into()),
            emitter: opening.emitter.unwrap_or_default(),
        }
    }
}

impl From<SubscriptionMode> for Mode {
    fn from(mode: SubscriptionMode) -> Self {
        match mode {
            SubscriptionMode::Pattern => Self::Pattern,
            SubscriptionMode::Dynamic => Self::Dynamic,
            SubscriptionMode::DynamicPrivate => Self::DynamicPrivate,
        }
    }
}

impl From<NativeLimits> for Limits {
    fn from(limits: NativeLimits) -> Self {
        let NativeLimits { rooms, attachments, bytes } = limits;
        Self { rooms, attachments: attachments as usize, bytes: to_usize(bytes) }
    }
}

impl From<NativeChannels> for Channels {
    fn from(channels: NativeChannels) -> Self {
        Self {
            broadcasts: channels.broadcasts,
            all_broadcasts: channels.all_broadcasts,
            socket_broadcasts: channels.socket_broadcasts,
            requests: channels.requests,
            responses: channels.responses,
            own_responses: channels.own_responses,
            native_requests: channels.native_requests,
        }
    }
}
