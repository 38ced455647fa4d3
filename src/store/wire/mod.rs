//! The messages of Socket.IO 0.9's `RedisStore`: `pack({ nodeId, args: [...] })`.

mod args;
mod envelope;

use crate::store::{Incoming, NodeId};

pub use args::dispatch_args;

use crate::codec::json::is_deeper_than;
use crate::codec::{EncodeError, MAX_ARGS_DEPTH, Malformed};

/// How a message is written. Both are always understood on receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// `JSON.stringify`.
    #[default]
    Json,
    /// The npm module `msgpack`.
    MessagePack,
}

/// What the messages of a channel look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `[room, packet, volatile, exceptions]`.
    Dispatch,
    /// Any arguments.
    Any,
}

/// The payload for two pieces of JSON text, as `JSON.stringify` writes them.
///
/// # Errors
/// When the arguments are nested too deeply, which no reader here takes. In MessagePack also when the
/// text is not JSON or is too long; in JSON it is not checked.
pub fn encode(codec: Codec, node_id_json: &str, args_json: &str) -> Result<Vec<u8>, EncodeError> {
    match codec {
        Codec::Json if is_deeper_than(MAX_ARGS_DEPTH, args_json) => Err(EncodeError::Depth),
        Codec::Json => {
            let parts = ["{\"nodeId\":", node_id_json, ",\"args\":", args_json, "}"];
            Ok(parts.concat().into_bytes())
        }
        Codec::MessagePack => envelope::to_message_pack(node_id_json, args_json),
    }
}

/// Whether a payload begins with the id of the node called `own`, as those of all servers begin with
/// an id; nothing else of it is read.
pub(crate) fn is_own(payload: &[u8], own: &NodeId) -> bool {
    match payload.first() {
        Some(0x81..=0x8f | 0xde | 0xdf) => envelope::message_pack_is_own(payload, own),
        _ => envelope::json_is_own(payload, own),
    }
}

/// Reads a payload in either codec, for the node called `own`.
///
/// A message that begins with this node's own id is dropped at once, and its rest is not checked.
///
/// # Errors
/// When the payload is not a message; see [`Malformed`].
pub fn decode<'a>(
    payload: &'a [u8],
    shape: Shape,
    own: &NodeId,
) -> Result<Incoming<'a>, Malformed> {
    match payload.first() {
        None => Err(Malformed::Empty),
        Some(0x80..=0x8f | 0xde | 0xdf) => envelope::message_pack(payload, shape, own),
        Some(_) => envelope::json(payload, shape, own),
    }
}
