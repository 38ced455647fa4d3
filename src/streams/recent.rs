//! The latest entries of streams, kept in memory: what came behind one of them is known without Redis.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entry::Entry;
use super::id::Id;

/// The entries that were read last, of each stream all behind a certain one.
pub struct Recent {
    is_kept: AtomicBool,
    // How many bytes of each stream.
    most: usize,
    // A plain mutex: held for a look or a change.
    logs: Mutex<HashMap<String, Log>>,
}

struct Log {
    // All entries behind this one are here.
    since: Id,
    entries: VecDeque<Arc<Kept>>,
    bytes: usize,
}

/// An entry, apart from the reply that it came in.
#[derive(Debug)]
pub struct Kept {
    id: Id,
    nsp: String,
    uid: String,
    kind: String,
    data: Option<Vec<u8>>,
}

impl Kept {
    fn of(entry: &Entry<'_>) -> Self {
        let Entry { id, nsp, uid, kind, data } = *entry;
        let [nsp, uid, kind] = [nsp, uid, kind].map(str::to_owned);
        Self { id, nsp, uid, kind, data: data.map(<[u8]>::to_vec) }
    }

    /// The entry's id.
    pub const fn id(&self) -> Id {
        self.id
    }

    /// The entry.
    pub fn entry(&self) -> Entry<'_> {
        let Self { id, nsp, uid, kind, data } = self;
        Entry { id: *id, nsp, uid, kind, data: data.as_deref() }
    }

    fn size(&self) -> usize {
        // What stands around the text, in this and in the allocator.
        const REST: usize = 256;
        let texts = [&self.nsp, &self.uid, &self.kind].map(String::len);
        REST + texts.iter().sum::<usize>() + self.data.as_ref().map_or(0, Vec::len)
    }
}

impl Recent {
    /// The bytes that all streams may take.
    const MOST: usize = 8 * 1024 * 1024;

    /// Of so many streams nothing is kept yet.
    pub fn new(streams: usize) -> Self {
        let most = Self::MOST / streams.max(1);
        Self { is_kept: AtomicBool::new(false), most, logs: Mutex::default() }
    }

    /// Keeps entries from now on.
    pub fn keep(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }

    /// Nothing is known of a stream any more.
    pub(super) fn forget(&self, stream: &str) {
        self.lock().remove(stream);
    }

    /// Entries were read of a stream: all that are behind `since`, or behind the last ones that were added.
    pub(super) fn add<'a>(
        &self,
        stream: &str,
        since: Id,
        entries: impl Iterator<Item = Entry<'a>>,
    ) {
        if !self.is_kept.load(Ordering::Relaxed) {
            return;
        }
        let entries = entries.map(|entry| Arc::new(Kept::of(&entry))).collect::<Vec<_>>();
        let mut logs = self.lock();
        if !logs.contains_key(stream) {
            let log = Log { since, entries: VecDeque::new(), bytes: 0 };
            logs.insert(stream.to_owned(), log);
        }
        if let Some(log) = logs.get_mut(stream) {
            for entry in entries {
                log.add(entry, self.most);
            }
        }
    }

    /// At most so many of the entries behind one, or nothing where not all of them are here.
    pub fn behind(&self, stream: &str, id: Id, most: usize) -> Option<Vec<Arc<Kept>>> {
        let logs = self.lock();
        let log = logs.get(stream).filter(|log| log.since <= id)?;
        let start = log.entries.partition_point(|entry| entry.id <= id);
        Some(log.entries.iter().skip(start).take(most).cloned().collect())
    }

    /// Whether an entry is here. One that is not may be in the stream all the same.
    pub fn has(&self, stream: &str, id: Id) -> bool {
        let logs = self.lock();
        logs.get(stream).is_some_and(|log| log.entries.binary_search_by_key(&id, |e| e.id).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn add(&mut self, entry: Arc<Kept>, most: usize) {
        if self.entries.back().map_or(self.since, |last| last.id) >= entry.id {
            return;
        }
        self.bytes += entry.size();
        self.entries.push_back(entry);
        while self.bytes > most {
            let Some(first) = self.entries.pop_front() else { break };
            self.bytes -= first.size();
            self.since = first.id;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Entry, Id, Recent};

    fn id(ms: usize) -> Id {
        Id::parse(format!("{ms}-0").as_bytes()).unwrap()
    }

    fn add(recent: &Recent, since: usize, ids: &[usize], data: &[u8]) {
        let entry = |ms| Entry { id: id(ms), nsp: "/", uid: "u", kind: "3", data: Some(data) };
        recent.add("s", id(since), ids.iter().map(|ms| entry(*ms)));
    }

    fn behind(recent: &Recent, ms: usize, most: usize) -> Option<Vec<Id>> {
        let entries = recent.behind("s", id(ms), most)?;
        Some(entries.iter().map(|entry| entry.id()).collect())
    }

    #[test]
    fn what_came_behind_an_entry_is_known_where_all_of_it_is() {
        let recent = Recent::new(1);
        add(&recent, 4, &[5], b"");
        assert_eq!(behind(&recent, 4, 9), None, "it is not kept yet");
        recent.keep();
        add(&recent, 5, &[7, 9], b"");
        add(&recent, 9, &[11], b"");
        assert_eq!(behind(&recent, 5, 9).unwrap(), [id(7), id(9), id(11)]);
        assert_eq!(behind(&recent, 7, 1).unwrap(), [id(9)]);
        assert_eq!(behind(&recent, 11, 9).unwrap(), []);
        assert_eq!(behind(&recent, 4, 9), None, "5 may be missing");
        assert!(recent.has("s", id(9)) && !recent.has("s", id(8)) && !recent.has("t", id(9)));
        let entries = recent.behind("s", id(9), 9).unwrap();
        let Entry { nsp, uid, kind, data, .. } = entries.first().unwrap().entry();
        assert_eq!((nsp, uid, kind, data), ("/", "u", "3", Some(&b""[..])));
        recent.forget("s");
        assert_eq!(behind(&recent, 9, 9), None);
        add(&recent, 20, &[21], b"");
        assert_eq!((behind(&recent, 19, 9), behind(&recent, 20, 9).unwrap().len()), (None, 1));
    }

    #[test]
    fn what_is_read_again_is_kept_once() {
        let recent = Recent::new(1);
        recent.keep();
        add(&recent, 1, &[2, 3], b"");
        add(&recent, 1, &[2, 3, 4], b"");
        assert_eq!(behind(&recent, 1, 9).unwrap(), [id(2), id(3), id(4)]);
    }

    #[test]
    fn the_oldest_go_where_there_is_no_room() {
        let recent = Recent::new(2);
        recent.keep();
        let data = vec![b'x'; Recent::MOST / 2 / 4];
        add(&recent, 0, &[1, 2, 3, 4, 5], &data);
        assert_eq!(behind(&recent, 1, 9), None);
        assert_eq!(behind(&recent, 2, 9).unwrap(), [id(3), id(4), id(5)]);
        add(&recent, 5, &[6], &vec![b'x'; Recent::MOST]);
        assert_eq!((behind(&recent, 5, 9), behind(&recent, 6, 9).unwrap().len()), (None, 0));
    }
}
