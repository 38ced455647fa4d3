//! The native core of the npm package `socket.io-redis-native`.
//!
//! Floors, lowest first; a module may use only those above it in this list (see ARCHITECTURE.md).

// F0: plain data
pub mod error;
pub mod model;
// F1: pure logic, no I/O
pub mod delivery;
pub mod packet;
pub mod rooms;
pub mod wire;
// F2: one connection to Redis
pub mod connection;
// F3: subscriptions that survive a reconnect
pub mod pubsub;
// F4: one node's place on Redis
pub mod backplane;
// F5: what a user constructs
pub mod adapter;
pub mod store;
// F6: the door to Node
mod binding;
