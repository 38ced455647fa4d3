//! Subscriptions: what is wanted, what Redis has confirmed, and the task that brings them together
//! again after every reconnect.

mod session;
mod subscriptions;

pub use session::{Session, Subscriber};
pub use subscriptions::{Consumer, Consumers, Kind, Op, Subscriptions};
