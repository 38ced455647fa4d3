//! The door to Node: converts and delegates, and does nothing else.
//!
//! The only folder that names napi. Every function is called on the event loop.

#![expect(clippy::needless_pass_by_value, reason = "what crosses N-API arrives by value")]

mod runtime;
mod store;
