//! Subscriptions: what is wanted, what Redis has confirmed, and the task that brings them together
//! again after every reconnect.

mod active;
mod moment;
mod session;
mod subscriptions;
#[cfg(test)]
mod testing;

pub use session::{LinkStatus, Session, SessionEvent, Subscriber};
pub use subscriptions::{Consumer, Kind, Need};
