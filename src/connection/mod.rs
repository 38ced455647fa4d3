//! One connection to one Redis server: where it points, how it is opened, what goes through it.

mod backoff;
mod endpoint;
mod link;
mod race;
mod resp;
mod stream;
mod tls;

pub use backoff::Backoff;
pub use endpoint::{Endpoint, Tls};
pub use link::{Answer, Connection, pack};
pub use resp::Value;
