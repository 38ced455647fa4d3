//! Subscriptions: what is wanted, what Redis has confirmed, and the task that brings them together
//! again after every reconnect.

mod active;
mod consumer;
mod moment;
mod op;
mod owed;
mod push;
mod session;
mod subscriptions;
#[cfg(test)]
mod testing;
mod wanted;

pub use consumer::Consumer;
pub use op::Kind;
pub use session::{LinkStatus, Session, SessionEvent, Subscriber};
pub use wanted::Need;
