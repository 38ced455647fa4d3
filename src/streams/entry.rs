//! Entries as Redis gives them.

use super::id::Id;
use crate::connection::Value;

/// An entry as the adapters of Socket.IO add it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its id.
    pub id: Id,
    /// The namespace that it is for.
    pub nsp: &'a str,
    /// What marks the messages of whoever added it.
    pub uid: &'a str,
    /// The number of its type.
    pub kind: &'a str,
    /// Its data, if it has any: JSON, or base64 of MessagePack.
    pub data: Option<&'a [u8]>,
}

/// The entries that a reply lists, each with its id: of `XRANGE`, or of one stream of `XREAD`. Without an
/// entry where it is none of an adapter.
pub fn entries(list: &Value) -> impl Iterator<Item = (Id, Option<Entry<'_>>)> {
    items(list).iter().filter_map(parts).map(|(id, fields)| (id, read(id, fields)))
}

/// The ids of the entries that a reply to `XRANGE` lists.
pub fn entry_ids(list: &Value) -> impl DoubleEndedIterator<Item = Id> {
    items(list).iter().filter_map(parts).map(|(id, _)| id)
}

/// How many entries such a reply lists, and the id of the last one.
pub fn extent(list: &Value) -> (usize, Option<Id>) {
    (items(list).len(), entry_ids(list).next_back())
}

fn items(list: &Value) -> &[Value] {
    if let Value::Array(list) = list { list } else { &[] }
}

/// The id of an item, and its fields.
fn parts(item: &Value) -> Option<(Id, &Value)> {
    let Value::Array(parts) = item else { return None };
    let [Value::Bulk(id), fields] = parts.as_slice() else { return None };
    Some((Id::parse(id)?, fields))
}

fn read(id: Id, fields: &Value) -> Option<Entry<'_>> {
    let Value::Array(fields) = fields else { return None };
    let (mut nsp, mut uid, mut kind, mut data) = Default::default();
    for pair in fields.chunks_exact(2) {
        let [Value::Bulk(name), Value::Bulk(value)] = pair else { return None };
        match &**name {
            b"nsp" => nsp = str::from_utf8(value).ok(),
            b"uid" => uid = str::from_utf8(value).ok(),
            b"type" => kind = str::from_utf8(value).ok(),
            b"data" => data = Some(&**value),
            _ => {}
        }
    }
    Some(Entry { id, nsp: nsp.filter(|nsp| !nsp.is_empty())?, uid: uid?, kind: kind?, data })
}

/// The streams of which a reply to `XREAD` has entries, each with the list of these.
pub(super) fn streams(reply: &Value) -> impl Iterator<Item = (&[u8], &Value)> {
    items(reply).iter().filter_map(|stream| {
        let Value::Array(parts) = stream else { return None };
        let [Value::Bulk(name), read] = parts.as_slice() else { return None };
        Some((&**name, read))
    })
}

/// Whether a reply to `XREAD` has entries of a stream.
pub(super) fn has_entries(reply: &Value, stream: &str) -> bool {
    streams(reply).any(|(name, _)| *name == *stream.as_bytes())
}

/// The id of the last entry that a stream has got, of a reply to `XINFO STREAM`.
pub(super) fn last_generated(info: &Value) -> Option<Id> {
    items(info).chunks_exact(2).find_map(|pair| match pair {
        [Value::Bulk(name), Value::Bulk(id)] if **name == *b"last-generated-id" => Id::parse(id),
        _ => None,
    })
}
