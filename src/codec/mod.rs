//! JSON, MessagePack and JavaScript's numbers. Pure: nothing here reads or writes a socket.
//!
//! Every walk over nested data is a loop with a stack of its own, so that no payload can exhaust
//! the stack of the thread that reads it.

mod error;
mod escapes;
pub(crate) mod js_date;
mod js_number;
pub(crate) mod json;
pub(crate) mod msgpack;

pub use error::{EncodeError, Malformed};
pub(crate) use js_number::{MAX_SAFE_INTEGER, number_to_string};
pub use js_number::{json_number, string_to_number};

/// How many arrays and objects may be nested in one argument of a message. What is around it, the
/// array of arguments included, does not count.
pub const MAX_DEPTH: usize = 512;
/// The same for all arguments with their array.
pub(crate) const MAX_ARGS_DEPTH: usize = MAX_DEPTH + 1;
