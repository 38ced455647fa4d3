//! Plain data that the floors above pass around. No I/O, no Redis, no JavaScript.

mod js_number;
mod message;
mod node_id;
mod packet;

pub use js_number::{json_number, string_to_number};
pub use message::{Args, Incoming};
pub use node_id::NodeId;
pub use packet::Packet;
