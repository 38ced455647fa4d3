//! What is asked of Redis.

use std::borrow::Cow;
use std::sync::Arc;

use crate::connection::pack;
use crate::error::{Error, Result};
use crate::packet;
use crate::wire::classic;
use crate::wire::store09::{self, Codec};

/// The channel of a 0.9 server's broadcasts.
pub const DISPATCH: &str = "dispatch";

/// The arguments of a message on [`DISPATCH`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The room's name.
    pub room: String,
    /// The encoded packet.
    pub packet: String,
    /// Whether it may be dropped; `None` is `null`.
    pub volatile: Option<bool>,
    /// JSON text of the ids that must not get it; empty for none.
    pub exceptions: String,
}

/// Where broadcasts of Socket.IO 4 come from: one namespace of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What marks this server's messages.
    pub uid: String,
    /// The namespace's name.
    pub nsp: String,
    /// The channel of the namespace's broadcasts.
    pub channel: String,
}

/// A broadcast of Socket.IO 4, not yet packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// Where it comes from.
    pub origin: Arc<Origin>,
    /// Whom it is for.
    pub target: Target,
    /// The packet as Socket.IO text.
    pub text: String,
    /// Its binary parts.
    pub attachments: Vec<Vec<u8>>,
}

/// Whom a broadcast is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Everybody in the namespace.
    All,
    /// One room.
    Room(String),
    /// As told.
    Given {
        /// What follows the namespace in the channel's name: `room#` for one room, else nothing.
        suffix: String,
        /// JSON text of `{ rooms, except, flags }`.
        opts: String,
    },
}

/// One command for Redis, not yet packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `PUBLISH` of `{ nodeId, args }`, where `args` is JSON text; packed off the event loop.
    Publish {
        /// The channel.
        channel: String,
        /// A JSON array.
        args: String,
    },
    /// `PUBLISH` of a message of 0.9's `dispatch` channel, whose JSON is written off the event loop.
    Dispatch(Dispatch),
    /// `PUBLISH` of a broadcast of Socket.IO 4, whose MessagePack is made off the event loop.
    Broadcast(Broadcast),
    /// `PUBLISH` of what JavaScript has packed.
    PublishPacked {
        /// The channel.
        channel: String,
        /// The payload.
        payload: Vec<u8>,
    },
    /// `HGET key field`
    Get(String, String),
    /// `HSET key field value`
    Set(String, String, Vec<u8>),
    /// `HDEL key field`
    Del(String, String),
    /// `HEXISTS key field`
    Has(String, String),
    /// `DEL key`
    Destroy(String),
    /// `EXPIRE key seconds`
    Expire(String, i64),
    /// `PUBSUB` and its arguments.
    PubSub(Vec<String>),
}

impl Request {
    /// Whether it is a publish: those must not be sent twice, while all the commands may.
    #[must_use]
    pub const fn is_publish(&self) -> bool {
        matches!(
            self,
            Self::Publish { .. }
                | Self::Dispatch(_)
                | Self::Broadcast(_)
                | Self::PublishPacked { .. }
        )
    }

    /// Whether it belongs on the server that messages are published on: channels are not shared
    /// between servers.
    #[must_use]
    pub const fn goes_with_publishes(&self) -> bool {
        self.is_publish() || matches!(self, Self::PubSub(_))
    }

    /// The bytes that it holds while it waits.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Publish { channel, args } => channel.len() + args.len(),
            Self::Dispatch(dispatch) => {
                dispatch.room.len() + dispatch.packet.len() + dispatch.exceptions.len()
            }
            Self::Broadcast(Broadcast { target, text, attachments, .. }) => {
                let binary: usize = attachments.iter().map(Vec::len).sum();
                target.size() + text.len() + binary
            }
            Self::PublishPacked { channel, payload } => channel.len() + payload.len(),
            Self::PubSub(args) => args.iter().map(String::len).sum(),
            Self::Set(key, field, value) => key.len() + field.len() + value.len(),
            Self::Get(key, field) | Self::Del(key, field) | Self::Has(key, field) => {
                key.len() + field.len()
            }
            Self::Destroy(key) | Self::Expire(key, _) => key.len(),
        }
    }

    /// Appends it to `packed`, in RESP.
    ///
    /// # Errors
    /// [`Error::Encode`], and `packed` is as it was.
    pub fn pack(&self, codec: Codec, node_id: &str, packed: &mut Vec<u8>) -> Result<()> {
        let mut put = |args: &[&[u8]]| pack(self.name(), args, packed);
        match self {
            Self::Publish { channel, args } => {
                let payload = encode(codec, node_id, channel, args)?;
                put(&[channel.as_bytes(), &payload]);
            }
            Self::Dispatch(Dispatch { room, packet, volatile, exceptions }) => {
                let args = store09::dispatch_args(room, packet, *volatile, exceptions);
                let payload = encode(codec, node_id, DISPATCH, &args)?;
                put(&[DISPATCH.as_bytes(), &payload]);
            }
            Self::Broadcast(broadcast) => {
                let channel = broadcast.target.channel(&broadcast.origin.channel);
                put(&[channel.as_bytes(), &broadcast.encode(&channel)?]);
            }
            Self::PublishPacked { channel, payload } => put(&[channel.as_bytes(), payload]),
            Self::PubSub(args) => put(&args.iter().map(String::as_bytes).collect::<Vec<_>>()),
            Self::Set(key, field, value) => put(&[key.as_bytes(), field.as_bytes(), value]),
            Self::Get(key, field) | Self::Del(key, field) | Self::Has(key, field) => {
                put(&[key.as_bytes(), field.as_bytes()]);
            }
            Self::Destroy(key) => put(&[key.as_bytes()]),
            Self::Expire(key, seconds) => put(&[key.as_bytes(), seconds.to_string().as_bytes()]),
        }
        Ok(())
    }

    /// The command's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Publish { .. }
            | Self::Dispatch(_)
            | Self::Broadcast(_)
            | Self::PublishPacked { .. } => "PUBLISH",
            Self::PubSub(_) => "PUBSUB",
            Self::Get(..) => "HGET",
            Self::Set(..) => "HSET",
            Self::Del(..) => "HDEL",
            Self::Has(..) => "HEXISTS",
            Self::Destroy(_) => "DEL",
            Self::Expire(..) => "EXPIRE",
        }
    }
}

impl Target {
    fn channel(&self, base: &str) -> String {
        match self {
            Self::All => base.to_owned(),
            Self::Room(room) => [base, room, "#"].concat(),
            Self::Given { suffix, .. } => [base, suffix].concat(),
        }
    }

    /// JSON text of `{ rooms, except, flags }`.
    fn opts(&self) -> Cow<'_, str> {
        match self {
            Self::All => r#"{"rooms":[],"except":[],"flags":{}}"#.into(),
            Self::Room(room) => {
                let room = serde_json::Value::from(&**room);
                format!(r#"{{"rooms":[{room}],"except":[],"flags":{{}}}}"#).into()
            }
            Self::Given { opts, .. } => opts.into(),
        }
    }

    const fn size(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Room(room) => room.len(),
            Self::Given { suffix, opts } => suffix.len() + opts.len(),
        }
    }
}

impl Broadcast {
    fn encode(&self, channel: &str) -> Result<Vec<u8>> {
        let Origin { uid, nsp, .. } = &*self.origin;
        let attachments = self.attachments.iter().map(|part| Cow::Borrowed(&**part)).collect();
        let packet = packet::parse(&self.text, nsp, attachments)
            .ok_or_else(|| unencodable(channel, &"it is not a packet of this namespace"))?;
        classic::encode(uid, &packet, nsp, &self.target.opts())
            .map_err(|e| unencodable(channel, &e))
    }
}

fn encode(codec: Codec, node_id: &str, channel: &str, args: &str) -> Result<Vec<u8>> {
    store09::encode(codec, node_id, args).map_err(|e| unencodable(channel, &e))
}

fn unencodable(channel: &str, reason: &impl ToString) -> Error {
    Error::Encode { count: 1, channel: channel.to_owned(), reason: reason.to_string() }
}
