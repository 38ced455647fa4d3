//! What waits to be written, bounded.

use std::collections::VecDeque;

use super::item::Item;

/// How much may wait while Redis is away (the option `offlineQueue`).
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Publishes and commands.
    pub messages: usize,
    /// Bytes of memory that they hold.
    pub bytes: usize,
}

/// What may wait while the connection is up: a burst within one tick, or a Redis that stalls.
const ONLINE_BYTES: usize = 128 * 1024 * 1024;

/// Items in the order in which they are to be written.
#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    // Of all items.
    bytes: usize,
    /// Whether there is a connection, so that more may wait.
    pub(super) is_online: bool,
}

impl Queue {
    /// Adds an item. One that comes back from a node may be older than what has come since, and is dropped
    /// before that.
    pub(super) fn put(&mut self, item: Item) {
        self.bytes += item.size();
        let number = item.waiting_number();
        if number.is_some() && self.items.back().is_some_and(|last| last.waiting_number() > number)
        {
            let at = self.items.partition_point(|other| other.waiting_number() < number);
            self.items.insert(at, item);
        } else {
            self.items.push_back(item);
        }
    }

    /// Puts an item back that was the first.
    pub(super) fn put_first(&mut self, item: Item) {
        self.bytes += item.size();
        self.items.push_front(item);
    }

    /// Takes the oldest: at least one, if there is any, and about `most_bytes` at most.
    pub(super) fn take(&mut self, most_items: usize, most_bytes: usize) -> VecDeque<Item> {
        // At once where that is all, since the event loop waits for the lock meanwhile.
        if self.items.len() <= most_items && self.bytes <= most_bytes {
            self.bytes = 0;
            return std::mem::take(&mut self.items);
        }
        let (mut batch, mut bytes) = (VecDeque::new(), 0);
        while batch.len() < most_items && bytes < most_bytes {
            let Some(item) = self.pop() else { break };
            bytes += item.size();
            batch.push_back(item);
        }
        batch
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.size();
        Some(item)
    }

    /// Takes those that are unwanted here, the oldest first.
    pub(super) fn take_if(&mut self, unwanted: impl FnMut(&Item) -> bool) -> VecDeque<Item> {
        let (taken, left) = std::mem::take(&mut self.items).into_iter().partition(unwanted);
        self.items = left;
        self.bytes = self.items.iter().map(Item::size).sum();
        taken
    }

    /// Drops the oldest until the rest fits. One item always may wait, however large.
    pub(super) fn trim(&mut self, limits: QueueLimits) -> Vec<Item> {
        let (messages, bytes) = if self.is_online {
            (usize::MAX, limits.bytes.max(ONLINE_BYTES))
        } else {
            (limits.messages, limits.bytes)
        };
        let mut dropped = Vec::new();
        while self.items.len() > 1 && (self.items.len() > messages || self.bytes > bytes) {
            dropped.extend(self.pop());
        }
        dropped
    }

    /// The oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many items wait, and their bytes.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.items.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::{Item, Queue, QueueLimits};
    use crate::backplane::request::{Packed, Request};
    use crate::backplane::router::Lane;

    fn item(number: u64) -> Item {
        let request = Request::publish(Packed { channel: number.to_string(), payload: Vec::new() });
        Item { lane: Some(Lane::waiting(number)), ..Item::new(request, None, Instant::now()) }
    }

    fn numbers<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<u64> {
        items.into_iter().filter_map(Item::waiting_number).collect()
    }

    #[test]
    fn what_comes_back_late_is_dropped_before_what_is_newer() {
        let mut queue = Queue::default();
        for number in [7, 8, 1, 2, 3, 9] {
            queue.put(item(number));
        }
        let dropped = queue.trim(QueueLimits { messages: 4, bytes: usize::MAX });
        assert_eq!(numbers(&dropped), [1, 2]);
        assert_eq!(numbers(queue.iter()), [3, 7, 8, 9]);
    }
}
