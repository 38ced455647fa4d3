//! From what Redis sends on a channel of the store to what the event loop gets.

use std::sync::Arc;

use crate::backplane::Reporter;
use crate::delivery::{Counters, Entry};
use crate::model::{Args, Incoming, NodeId};
use crate::pubsub::Consumer;
use crate::wire::store09::{self, Shape};

/// Takes the messages of one channel apart, drops the node's own, and puts the rest into the
/// mailbox.
pub(super) struct Channel {
    pub(super) number: u32,
    pub(super) shape: Shape,
    pub(super) node_id: NodeId,
    // Whether payloads go to JavaScript as they are, for the application's own `unpack`.
    pub(super) raw: bool,
    pub(super) reporter: Arc<Reporter>,
}

impl Consumer for Channel {
    fn message(&self, name: &[u8], payload: &[u8]) {
        let (reporter, channel) = (&self.reporter, self.number);
        Counters::count(&reporter.counters().received);
        if self.raw {
            // Whether it is our own, and so is not delivered, shows in JavaScript.
            return reporter.append(&Entry::Raw { channel, payload });
        }
        match store09::decode(payload, self.shape, &self.node_id) {
            Ok(Incoming::Own) => Counters::count(&reporter.counters().filtered_own),
            Ok(Incoming::Foreign(Args::Json(args))) => {
                reporter.deliver(&Entry::Args { channel, args: &args });
            }
            Ok(Incoming::Foreign(Args::Dispatch { room, packet, volatile, exceptions })) => {
                let (room, packet, exceptions) = (&*room, &*packet, &*exceptions);
                reporter.deliver(&Entry::Dispatch { channel, volatile, room, packet, exceptions });
            }
            Err(problem) => reporter.ignore(problem.kind(), name),
        }
    }
}
