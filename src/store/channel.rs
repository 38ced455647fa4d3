//! From what Redis sends on a channel of the store to what the event loop gets.

use std::sync::{Arc, OnceLock};

use super::entry::{ChannelEntry, Delivery};
use super::native_transports;
use super::wire::{self, Shape};
use super::{Args, Incoming, NodeId};
use crate::backplane::EventSink;
use crate::codec::Malformed;
use crate::event_loop::Counters;
use crate::pubsub::Consumer;
use crate::websocket::Fanout;

/// Takes the messages of one channel apart, drops the node's own, and puts the rest into the
/// mailbox.
pub(super) struct Channel {
    pub(super) number: u32,
    pub(super) shape: Shape,
    pub(super) node_id: NodeId,
    // Whether payloads go to JavaScript as they are, for the application's own `unpack`.
    pub(super) raw: bool,
    // In bytes.
    pub(super) longest: usize,
    pub(super) events: Arc<EventSink>,
    // The clients that broadcasts are written to natively, once there may be some.
    pub(super) fanout: Arc<OnceLock<Arc<Fanout>>>,
}

impl Consumer for Channel {
    fn message(&self, name: &[u8], payload: &[u8]) {
        let (events, channel) = (&self.events, self.number);
        Counters::count(&events.counters().received);
        if payload.len() > self.longest {
            return self.too_long(name, payload);
        }
        if self.raw {
            // Whether it is our own, and so is not delivered, shows in JavaScript.
            let delivery = Delivery::Raw(payload);
            return events.append(&ChannelEntry { channel, delivery, is_gate: false });
        }
        let delivery = match wire::decode(payload, self.shape, &self.node_id) {
            Ok(Incoming::Own) => return Counters::count(&events.counters().filtered_own),
            Ok(Incoming::Foreign(args)) => args,
            Err(problem) => return events.malformed(problem.kind(), name),
        };
        let delivery = match &delivery {
            Args::Json(args) => Delivery::Args(args),
            Args::Dispatch { room, packet, volatile, exceptions } => {
                Delivery::Dispatch { volatile: *volatile, room, packet, exceptions }
            }
        };
        if !delivery.fits_strings() {
            return events.malformed(Malformed::TooLong.kind(), name);
        }
        self.deliver(delivery);
    }
}

impl Channel {
    /// Gives a message to the event loop, and a broadcast to the native transports first.
    fn deliver(&self, delivery: Delivery<'_>) {
        let (events, channel) = (&self.events, self.number);
        let Some(fanout) = self.fanout.get() else {
            return events.deliver(&ChannelEntry { channel, delivery, is_gate: false });
        };
        let Delivery::Dispatch { room, packet, exceptions, .. } = delivery else {
            // It may have a client join, or write to one.
            return events.deliver(&ChannelEntry { channel, delivery, is_gate: true });
        };
        native_transports::write(room, packet, exceptions, |broadcast| {
            events.fan_out(fanout, broadcast, |reached| {
                if reached.is_none_or(|reached| reached.javascript) {
                    events.deliver(&ChannelEntry { channel, delivery, is_gate: false });
                } else if reached.is_some_and(|reached| !reached.anybody) {
                    Counters::count(&events.counters().filtered_rooms);
                }
            });
        });
    }

    fn too_long(&self, name: &[u8], payload: &[u8]) {
        if !self.raw && wire::is_own(payload, &self.node_id) {
            Counters::count(&self.events.counters().filtered_own);
        } else {
            self.events.malformed(Malformed::TooLong.kind(), name);
        }
    }
}
