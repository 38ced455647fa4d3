//! What a store asks of Redis.

use crate::connection::pack;
use crate::error::{Error, Result};
use crate::wire::store09::{self, Codec};

/// The channel of a server's broadcasts.
pub(super) const DISPATCH: &str = "dispatch";

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
    /// `PUBLISH` of what the application's own `pack` made.
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
}

impl Request {
    /// Whether it is a publish: those must not be sent twice, while all the commands may.
    #[must_use]
    pub const fn is_publish(&self) -> bool {
        matches!(self, Self::Publish { .. } | Self::Dispatch(_) | Self::PublishPacked { .. })
    }

    /// The bytes that it holds while it waits.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Publish { channel, args } => channel.len() + args.len(),
            Self::Dispatch(dispatch) => {
                dispatch.room.len() + dispatch.packet.len() + dispatch.exceptions.len()
            }
            Self::PublishPacked { channel, payload } => channel.len() + payload.len(),
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
            Self::PublishPacked { channel, payload } => put(&[channel.as_bytes(), payload]),
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
            Self::Publish { .. } | Self::Dispatch(_) | Self::PublishPacked { .. } => "PUBLISH",
            Self::Get(..) => "HGET",
            Self::Set(..) => "HSET",
            Self::Del(..) => "HDEL",
            Self::Has(..) => "HEXISTS",
            Self::Destroy(_) => "DEL",
            Self::Expire(..) => "EXPIRE",
        }
    }
}

fn encode(codec: Codec, node_id: &str, channel: &str, args: &str) -> Result<Vec<u8>> {
    store09::encode(codec, node_id, args).map_err(|e| Error::Encode {
        count: 1,
        channel: channel.to_owned(),
        reason: e.to_string(),
    })
}
