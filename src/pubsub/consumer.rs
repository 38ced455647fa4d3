//! Who gets what arrives.

use std::ptr::addr_eq;
use std::sync::Arc;

/// Gets the messages of a channel or a pattern.
pub trait Consumer: Send + Sync + 'static {
    /// A message has arrived on `channel`.
    fn message(&self, channel: &[u8], payload: &[u8]);
    /// Redis has refused what is [`super::Need::Replaceable`], which is not wanted any more: something else is
    /// to be wanted now.
    fn refused(&self) {}
}

/// All consumers of one subscription; there is seldom more than one.
pub type Consumers = Arc<[Arc<dyn Consumer>]>;

pub(super) fn is_same(one: &Arc<dyn Consumer>, other: &Arc<dyn Consumer>) -> bool {
    addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}
