//! One connection to one Redis server: where it points, how it is opened, what goes through it, and
//! whether it is alive.

mod backoff;
mod cluster;
mod connector;
mod endpoint;
mod greeting;
mod hint;
mod info;
mod link;
mod place;
mod race;
mod resp;
mod role;
mod sentinel;
mod stream;
#[cfg(test)]
pub mod testing;
mod tls;
mod watchdog;

pub use backoff::Backoff;
pub use cluster::{Cluster, Node, Owner, Redirection, SlotMap, redirection, slot_of};
pub use connector::{Connector, Opened, Patience, moved};
pub use endpoint::{
    Address, AddressMap, ClusterAt, Endpoint, Mapping, Preparation, Prepared, Preparing,
    SentinelAt, Tls, Version,
};
pub use greeting::{Purpose, Warning};
pub use link::{Answer, ByteStream, Connection, pack};
pub use place::Place;
pub use resp::Value;
pub use role::Role;
pub use watchdog::{Ended, Verdict, Watchdog};
