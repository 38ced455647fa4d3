//! The rooms that sockets have under their ids: behind one pattern or, where Redis refuses that, on a
//! channel each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::namespace::Namespace;
use crate::backplane::Backplane;
use crate::pubsub::{Consumer, Kind, Need};

/// Gets what comes through the pattern, and does without where there is none.
pub(super) struct SocketRooms {
    backplane: Weak<Backplane>,
    namespace: Arc<Namespace>,
    broadcasts: Arc<dyn Consumer>,
    // A plain mutex: held while rooms change, so that none of them is missed or kept.
    apart: Mutex<bool>,
}

impl SocketRooms {
    pub(super) fn new(
        backplane: &Arc<Backplane>,
        namespace: &Arc<Namespace>,
        broadcasts: &Arc<dyn Consumer>,
    ) -> Self {
        Self {
            backplane: Arc::downgrade(backplane),
            namespace: Arc::clone(namespace),
            broadcasts: Arc::clone(broadcasts),
            apart: Mutex::new(false),
        }
    }

    /// Whether each has a channel of its own, for as long as this is held.
    pub(super) fn are_apart(&self) -> MutexGuard<'_, bool> {
        self.apart.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for SocketRooms {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        self.broadcasts.message(channel, payload);
    }

    fn refused(&self) {
        let Some(backplane) = self.backplane.upgrade() else { return };
        let origin = &self.namespace.origin;
        let mut apart = self.are_apart();
        if std::mem::replace(&mut *apart, true) {
            return;
        }
        for room in self.namespace.rooms.names() {
            if origin.wire.is_id(&room) {
                let (name, consumer) = (origin.room_channel(&room), Arc::clone(&self.broadcasts));
                backplane.subscribe(Kind::Channel, &name, consumer, Need::Required, None);
            }
        }
    }
}
