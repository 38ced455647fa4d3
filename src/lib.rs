//! The native core of the npm package `socket.io-redis-native`.
//!
//! Layers, lowest first: a module uses only those above it in this list (see ARCHITECTURE.md). Those
//! that are public are so for the tests, benches and fuzz targets.

// Errors with stable codes.
mod error;
// Pure: JSON, MessagePack, numbers.
pub mod codec;
// Between Tokio and the event loop.
pub mod event_loop;
// One connection to Redis.
mod connection;
// Subscriptions that survive a reconnect.
mod pubsub;
// Streams, read from where reading stopped.
mod streams;
// Native connections of clients.
pub mod websocket;
// One process's connections. It knows neither version of Socket.IO.
mod backplane;
// Socket.IO 4.
pub mod adapter;
// Socket.IO 0.9.
pub mod store;
// The door to Node.
mod napi;
