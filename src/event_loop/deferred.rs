//! Messages that are for no socket here as far as is known, until the drain decides.
//!
//! JavaScript reports which rooms are joined at the end of a turn, and a socket that joins in the
//! turn that is under way gets what arrives in that turn, as with an adapter that reads Redis on
//! the event loop. So the decision belongs to the drain, which comes between two turns. It costs
//! next to nothing where no room has been joined since: then all of it is discarded at once.

use std::sync::Arc;

use super::chunk::Chunk;

/// Decides whether messages are for this process.
pub trait Filter: Send + Sync {
    /// Grows whenever a message may be for this process that was not before.
    fn generation(&self) -> u64;
    /// Appends what the message comes to now, or counts it as discarded.
    fn decide(&self, channel: &[u8], payload: &[u8], chunk: &mut Chunk);
    /// Counts messages that are not for this process.
    fn discarded(&self, count: u64);
}

/// A place in a chunk: words of its index and bytes before it.
type Place = (usize, usize);

/// Deferred messages in their order.
#[derive(Default)]
pub struct Deferred {
    filters: Vec<Waiting>,
    items: Vec<Item>,
    // Channel and payload of each item, one behind the other.
    bytes: Vec<u8>,
}

/// The messages that one filter decides about.
struct Waiting {
    filter: Arc<dyn Filter>,
    /// The filter's generation when the first of them was deferred: later ones are no older.
    generation: u64,
    count: u64,
}

struct Item {
    filter: usize,
    place: Place,
    channel: usize,
    payload: usize,
}

/// One deferred message.
pub struct Message<'a> {
    /// What decides about it.
    pub filter: &'a Arc<dyn Filter>,
    /// Where it stands in its chunk.
    pub place: Place,
    /// The channel on which it arrived.
    pub channel: &'a [u8],
    /// The payload as Redis sent it.
    pub payload: &'a [u8],
}

impl Deferred {
    /// Memory beyond this is not kept.
    const MAX_KEPT: usize = 1024 * 1024;

    /// Appends a message.
    pub fn push(
        &mut self,
        filter: &Arc<dyn Filter>,
        generation: u64,
        place: Place,
        channel: &[u8],
        payload: &[u8],
    ) {
        let filter = self.waiting(filter, generation);
        self.items.push(Item { filter, place, channel: channel.len(), payload: payload.len() });
        self.bytes.extend_from_slice(channel);
        self.bytes.extend_from_slice(payload);
    }

    /// Counts one more message of `filter`; returns its place in the list.
    fn waiting(&mut self, filter: &Arc<dyn Filter>, generation: u64) -> usize {
        let known = self.filters.iter_mut().enumerate();
        for (at, waiting) in known {
            if Arc::ptr_eq(&waiting.filter, filter) {
                waiting.count += 1;
                return at;
            }
        }
        self.filters.push(Waiting { filter: Arc::clone(filter), generation, count: 1 });
        self.filters.len() - 1
    }

    /// Removes all of it and keeps the memory, unless that is much.
    pub fn clear(&mut self) {
        self.filters.clear();
        self.items.clear();
        self.bytes.clear();
        if self.memory() > Self::MAX_KEPT {
            *self = Self::default();
        }
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The memory that they hold, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.items.capacity() * size_of::<Item>()
    }

    /// Discards all of it, unless a filter may decide otherwise now; returns whether it did.
    #[must_use]
    pub fn discard_unchanged(&self) -> bool {
        let unchanged = |waiting: &Waiting| waiting.filter.generation() == waiting.generation;
        let all = self.filters.iter().all(unchanged);
        if all {
            self.discard();
        }
        all
    }

    /// Counts all of it as discarded.
    pub fn discard(&self) {
        self.filters.iter().for_each(|waiting| waiting.filter.discarded(waiting.count));
    }

    /// The messages in their order.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        let mut rest = &*self.bytes;
        self.items.iter().filter_map(move |item| {
            let (channel, behind) = rest.split_at_checked(item.channel)?;
            let (payload, behind) = behind.split_at_checked(item.payload)?;
            rest = behind;
            let filter = &self.filters.get(item.filter)?.filter;
            Some(Message { filter, place: item.place, channel, payload })
        })
    }
}

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} deferred", self.items.len())
    }
}
