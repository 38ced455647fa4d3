//! How far each stream was read, and whether it may have dropped entries before they were.

use super::entry::{Entry, entries, entry_ids, has_entries};
use super::id::Id;
use super::reader::ReadOptions;
use crate::connection::{Value, pack};

/// How far a stream was read.
struct Position {
    stream: String,
    /// The last entry that was read, or that was there before.
    last: Option<Id>,
    /// Whether entries behind that one may have been dropped before they were read.
    is_doubtful: bool,
    /// Whether that was asked for in vain on this connection.
    was_asked: bool,
}

impl Position {
    /// What `XREAD` is given: it reads behind that.
    fn read_behind(&self) -> Id {
        let last = self.last.unwrap_or_default();
        if self.is_doubtful { last.before() } else { last }
    }
}

/// The positions in the streams of one reader.
pub(super) struct Positions(Vec<Position>);

impl Positions {
    /// In streams of which nothing was read yet.
    pub(super) fn new(streams: Vec<String>) -> Self {
        let position =
            |stream| Position { stream, last: None, is_doubtful: false, was_asked: false };
        Self(streams.into_iter().map(position).collect())
    }

    /// The names of the streams.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|position| &*position.stream)
    }

    fn of(&mut self, stream: &str) -> Option<&mut Position> {
        self.0.iter_mut().find(|position| position.stream == stream)
    }

    /// A new connection says that a stream ends with the entry `end`. Returns behind which entry it is read,
    /// where that was not known.
    pub(super) fn begin(&mut self, stream: &str, end: Option<Id>) -> Option<Id> {
        let position = self.of(stream)?;
        (position.is_doubtful, position.was_asked) = (position.last.is_some(), false);
        match (position.last, end) {
            (None, _) => {
                position.last = Some(end.unwrap_or_default());
                position.last
            }
            // A master that has not got all. What it gets from now on may be in front of what was read.
            (Some(last), Some(end)) if end < last => {
                (position.last, position.is_doubtful) = (Some(end), false);
                None
            }
            _ => None,
        }
    }

    /// `XREAD` behind all that was read; where that is in doubt, from the last entry on: while it is there, none
    /// behind it can have been dropped. Redis is told to wait for as long as `options` say.
    pub(super) fn question(&self, options: ReadOptions) -> Vec<u8> {
        let is_doubtful = self.0.iter().any(|position| position.is_doubtful);
        let count = (options.count.saturating_add(is_doubtful.into())).to_string();
        let block_ms = options.block.as_millis().to_string();
        let ids: Vec<String> =
            self.0.iter().map(|position| position.read_behind().to_string()).collect();
        let mut args: Vec<&[u8]> = vec![b"COUNT", count.as_bytes()];
        if !options.block.is_zero() {
            args.extend([b"BLOCK".as_slice(), block_ms.as_bytes()]);
        }
        args.push(b"STREAMS");
        args.extend(self.names().map(str::as_bytes));
        args.extend(ids.iter().map(String::as_bytes));
        let mut packed = Vec::new();
        pack("XREAD", &args, &mut packed);
        packed
    }

    /// The streams that are in doubt and of which `reply` has nothing, each with the last entry that was read.
    /// They are named once a connection.
    pub(super) fn take_unanswered(&mut self, reply: &Value) -> Vec<(String, Id)> {
        let mut unanswered = Vec::new();
        for position in &mut self.0 {
            if position.is_doubtful
                && !has_entries(reply, &position.stream)
                && !std::mem::replace(&mut position.was_asked, true)
            {
                unanswered.push((position.stream.clone(), position.last.unwrap_or_default()));
            }
        }
        unanswered
    }

    /// A stream has nothing behind the entry `newest`, which it has got last.
    pub(super) fn skip_to(&mut self, stream: &str, newest: Id) {
        if let Some(position) = self.of(stream) {
            (position.last, position.is_doubtful) = (Some(newest), false);
        }
    }

    /// What was read of one stream.
    pub(super) fn batch<'a>(&self, stream: &str, read: &'a Value) -> Option<Batch<'a>> {
        let position = self.0.iter().find(|position| position.stream == stream)?;
        let before = position.last.unwrap_or_default();
        let is_there = || entry_ids(read).any(|id| id == before);
        let is_trimmed = position.is_doubtful && before != Id::default() && !is_there();
        let first = || entry_ids(read).find(|id| *id > before);
        Some(Batch { read, before, dropped_to: is_trimmed.then(first).flatten() })
    }

    /// A batch of a stream was read, of at most as many entries as are asked for. Returns the last one.
    pub(super) fn advance(&mut self, stream: &str, batch: &Batch<'_>, options: ReadOptions) -> Id {
        let new = entry_ids(batch.read).filter(|id| *id > batch.before);
        let (len, last) = new.fold((0, batch.before), |(len, last), id| (len + 1, last.max(id)));
        if let Some(position) = self.of(stream) {
            // Others may add faster than this reads.
            position.is_doubtful = len >= options.count as usize;
            position.last = Some(last);
        }
        last
    }
}

/// Entries of one stream that were read at once.
pub(super) struct Batch<'a> {
    read: &'a Value,
    /// The last entry that was read before.
    pub(super) before: Id,
    /// The first one that was still there, where the stream has dropped some behind that.
    pub(super) dropped_to: Option<Id>,
}

impl<'a> Batch<'a> {
    /// Those that were not read before and are of an adapter.
    pub(super) fn of_adapters(&self) -> impl Iterator<Item = Entry<'a>> {
        let before = self.before;
        entries(self.read).filter(move |(id, _)| *id > before).filter_map(|(_, entry)| entry)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Id, Positions, Value};
    use crate::streams::ReadOptions;
    use std::time::Duration;

    const OPTIONS: ReadOptions = ReadOptions { count: 2, block: Duration::ZERO };

    fn id(text: &str) -> Id {
        Id::parse(text.as_bytes()).unwrap()
    }

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec().into())
    }

    fn list(ids: &[&str]) -> Value {
        let entry = |id: &&str| Value::Array(vec![bulk(id), Value::Array(Vec::new())]);
        Value::Array(ids.iter().map(entry).collect())
    }

    fn positions(end: &str) -> Positions {
        let mut positions = Positions::new(vec!["s".to_owned()]);
        assert_eq!(positions.begin("s", Some(id(end))), Some(id(end)));
        positions
    }

    fn asked(positions: &Positions) -> String {
        let question = String::from_utf8(positions.question(OPTIONS)).unwrap();
        let words: Vec<_> = question.split("\r\n").skip(2).step_by(2).collect();
        words.join(" ")
    }

    #[test]
    fn after_an_outage_the_last_entry_is_read_again() {
        let mut positions = positions("5-1");
        assert_eq!(asked(&positions), "XREAD COUNT 2 STREAMS s 5-1");
        assert_eq!(positions.begin("s", Some(id("9-0"))), None);
        assert_eq!(asked(&positions), "XREAD COUNT 3 STREAMS s 5-0");
        let there = list(&["5-1", "6-0"]);
        let batch = positions.batch("s", &there).unwrap();
        assert_eq!((batch.before, batch.dropped_to), (id("5-1"), None));
        assert_eq!(positions.advance("s", &batch, OPTIONS), id("6-0"));
        assert_eq!(asked(&positions), "XREAD COUNT 2 STREAMS s 6-0");
    }

    #[test]
    fn what_was_dropped_ends_before_the_first_entry_that_is_there() {
        let mut positions = positions("5-1");
        positions.begin("s", Some(id("9-0")));
        let read = list(&["8-0", "9-0"]);
        assert_eq!(positions.batch("s", &read).unwrap().dropped_to, Some(id("8-0")));
    }

    #[test]
    fn as_many_entries_as_were_asked_for_leave_a_doubt() {
        let mut positions = positions("5-1");
        let read = list(&["6-0", "7-0"]);
        let batch = positions.batch("s", &read).unwrap();
        assert_eq!(batch.dropped_to, None, "nothing was in doubt");
        positions.advance("s", &batch, OPTIONS);
        assert_eq!(asked(&positions), "XREAD COUNT 3 STREAMS s 6-18446744073709551615");
    }

    #[test]
    fn a_master_that_lacks_entries_is_read_from_its_own_end() {
        let mut positions = positions("5-1");
        assert_eq!(positions.begin("s", Some(id("3-0"))), None);
        assert_eq!(asked(&positions), "XREAD COUNT 2 STREAMS s 3-0");
    }

    #[test]
    fn a_doubt_without_an_answer_is_named_once_a_connection() {
        let mut positions = positions("5-1");
        positions.begin("s", None);
        let answered = Value::Array(vec![Value::Array(vec![bulk("s"), list(&["5-1"])])]);
        assert!(positions.take_unanswered(&answered).is_empty());
        let named = vec![("s".to_owned(), id("5-1"))];
        assert_eq!(positions.take_unanswered(&Value::Nil), named);
        assert!(positions.take_unanswered(&Value::Nil).is_empty());
        positions.begin("s", None);
        assert_eq!(positions.take_unanswered(&Value::Nil), named, "on the next one again");
        positions.skip_to("s", id("7-0"));
        assert_eq!(asked(&positions), "XREAD COUNT 2 STREAMS s 7-0");
    }
}
