//! Who gets the entries of streams, and who waits until they are read.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::entry::Entry;
use super::id::Id;

/// Gets the entries for a namespace.
pub trait EntryConsumer: Send + Sync + 'static {
    /// An entry was read.
    fn entry(&self, entry: &Entry<'_>);
}

/// A stream is not held longer.
const LONGEST_HOLD: Duration = Duration::from_secs(5);

/// All consumers of one namespace; there is seldom more than one.
pub(super) type Consumers = Arc<[Arc<dyn EntryConsumer>]>;

/// The consumers of the entries of all streams.
#[derive(Default)]
pub struct Registry {
    // A plain mutex: held for a look-up or a change.
    state: Mutex<State>,
    // A stream is held no more.
    released: Notify,
}

#[derive(Default)]
struct State {
    consumers: HashMap<String, Consumers>,
    // The streams of which all that is added from now on will be read.
    ready: HashSet<String>,
    // What waits for that, by stream.
    tickets: Vec<(String, u32)>,
    // How far streams were handed out, and whether that goes on.
    turns: HashMap<String, Turn>,
    closed: bool,
}

/// The entries of a stream are handed out in turns, between which it may be held.
#[derive(Default)]
struct Turn {
    // The last entry that was handed out.
    last: Option<Id>,
    // How many hold it.
    holds: usize,
    is_under_way: bool,
    // Who waits for the end of the turn.
    tickets: Vec<u32>,
}

impl Registry {
    /// Has `consumer` get the entries for a namespace.
    pub fn consume(&self, nsp: &str, consumer: &Arc<dyn EntryConsumer>) {
        let mut state = self.lock();
        let all = state.consumers.entry(nsp.to_owned()).or_insert_with(|| Arc::from([]));
        *all = all.iter().chain([consumer]).cloned().collect();
    }

    /// Takes that back.
    pub fn forget(&self, nsp: &str, consumer: &Arc<dyn EntryConsumer>) {
        let mut state = self.lock();
        if let Some(all) = state.consumers.get_mut(nsp) {
            let others = all.iter().filter(|known| !Arc::ptr_eq(known, consumer));
            *all = others.cloned().collect();
            if all.is_empty() {
                state.consumers.remove(nsp);
            }
        }
    }

    pub(super) fn consumers(&self, nsp: &str) -> Option<Consumers> {
        self.lock().consumers.get(nsp).cloned()
    }

    /// Keeps a ticket until all that is added to a stream will be read. Gives it back where that is so, or
    /// will never be: see [`Self::is_closed`].
    pub fn confirm(&self, stream: &str, ticket: u32) -> Option<u32> {
        let mut state = self.lock();
        if state.closed || state.ready.contains(stream) {
            return Some(ticket);
        }
        state.tickets.push((stream.to_owned(), ticket));
        None
    }

    /// All that is added to these streams will be read. Returns what waited for it.
    pub(super) fn ready<'a>(&self, streams: impl Iterator<Item = &'a str>) -> Vec<u32> {
        let mut guard = self.lock();
        let state = &mut *guard;
        if !state.closed {
            state.ready.extend(streams.map(str::to_owned));
        }
        let ready = &state.ready;
        let settled = state.tickets.extract_if(.., |(stream, _)| ready.contains(stream));
        settled.map(|(_, ticket)| ticket).collect()
    }

    /// Has nothing of a stream be handed out until [`Self::release`]. Returns the last entry that was, or nothing
    /// where entries are being handed out: then the ticket is given back at the end of that.
    #[allow(clippy::option_option, reason = "there may be no last entry")]
    pub fn hold(&self, stream: &str, ticket: u32) -> Option<Option<Id>> {
        let mut state = self.lock();
        let turn = state.turns.entry(stream.to_owned()).or_default();
        turn.holds += 1;
        if turn.is_under_way {
            turn.tickets.push(ticket);
            return None;
        }
        Some(turn.last)
    }

    /// Takes one [`Self::hold`] back.
    pub fn release(&self, stream: &str) {
        if let Some(turn) = self.lock().turns.get_mut(stream) {
            turn.holds = turn.holds.saturating_sub(1);
        }
        self.released.notify_waiters();
    }

    /// Waits until a stream is not held, and begins to hand out its entries. Should nobody release it, it goes on
    /// all the same.
    pub(super) async fn begin(&self, stream: &str) {
        let released = async {
            loop {
                let mut released = pin!(self.released.notified());
                released.as_mut().enable();
                if self.try_begin(stream, false) {
                    return;
                }
                released.await;
            }
        };
        if timeout(LONGEST_HOLD, released).await.is_err() {
            self.try_begin(stream, true);
        }
    }

    fn try_begin(&self, stream: &str, anyway: bool) -> bool {
        let mut state = self.lock();
        let turn = state.turns.entry(stream.to_owned()).or_default();
        turn.is_under_way = turn.holds == 0 || anyway;
        turn.is_under_way
    }

    /// Ends what [`Self::begin`] began, or sets where the reading begins. Returns who waits to hold the stream.
    pub(super) fn end(&self, stream: &str, last: Id) -> Vec<u32> {
        let mut state = self.lock();
        let turn = state.turns.entry(stream.to_owned()).or_default();
        turn.last = Some(last);
        turn.is_under_way = false;
        std::mem::take(&mut turn.tickets)
    }

    /// Whether nothing is read any more.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Nothing is read any more. Returns what waits.
    pub fn close(&self) -> Vec<u32> {
        let mut state = self.lock();
        state.closed = true;
        let tickets = std::mem::take(&mut state.tickets).into_iter().map(|(_, ticket)| ticket);
        let holders = state.turns.values_mut().flat_map(|turn| std::mem::take(&mut turn.tickets));
        tickets.chain(holders).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
