//! What a store asks of Redis.

use redis::{Cmd, cmd};

use crate::error::{Error, Result};
use crate::wire::store09::{self, Codec};

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
        matches!(self, Self::Publish { .. } | Self::PublishPacked { .. })
    }

    /// The bytes that it holds while it waits.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Publish { channel, args } => channel.len() + args.len(),
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
        let command = match self {
            Self::Publish { channel, args } => {
                let payload = store09::encode(codec, node_id, args).map_err(|e| Error::Encode {
                    channel: channel.clone(),
                    reason: e.to_string(),
                })?;
                args_of("PUBLISH", &[channel.as_bytes(), &payload])
            }
            Self::PublishPacked { channel, payload } => {
                args_of("PUBLISH", &[channel.as_bytes(), payload])
            }
            Self::Get(key, field) => args_of("HGET", &[key.as_bytes(), field.as_bytes()]),
            Self::Set(key, field, value) => {
                args_of("HSET", &[key.as_bytes(), field.as_bytes(), value])
            }
            Self::Del(key, field) => args_of("HDEL", &[key.as_bytes(), field.as_bytes()]),
            Self::Has(key, field) => args_of("HEXISTS", &[key.as_bytes(), field.as_bytes()]),
            Self::Destroy(key) => args_of("DEL", &[key.as_bytes()]),
            Self::Expire(key, seconds) => {
                args_of("EXPIRE", &[key.as_bytes(), seconds.to_string().as_bytes()])
            }
        };
        command.write_packed_command(packed);
        Ok(())
    }

    /// The command's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Publish { .. } | Self::PublishPacked { .. } => "PUBLISH",
            Self::Get(..) => "HGET",
            Self::Set(..) => "HSET",
            Self::Del(..) => "HDEL",
            Self::Has(..) => "HEXISTS",
            Self::Destroy(_) => "DEL",
            Self::Expire(..) => "EXPIRE",
        }
    }
}

fn args_of(name: &str, args: &[&[u8]]) -> Cmd {
    let mut command = cmd(name);
    for arg in args {
        command.arg(*arg);
    }
    command
}
