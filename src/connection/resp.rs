//! RESP2 as Redis sends it, read without copying.
//!
//! redis-rs has a codec for this, which takes four times as long for a message of 200 bytes
//! (benchmark/NOTES.md); commands are packed by redis-rs.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// One reply or message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A status, such as `OK`.
    Simple(Bytes),
    /// An integer.
    Integer(i64),
    /// A string.
    Bulk(Bytes),
    /// A list.
    Array(Vec<Value>),
    /// An error, as Redis worded it.
    Error(String),
}

/// Writes packed commands and reads values.
#[derive(Debug, Default)]
pub struct Resp;

/// How deeply lists may be nested: Redis nests no reply of a command that is sent here.
const MAX_DEPTH: u32 = 8;
/// Redis limits a string to 512 MB.
const MAX_LENGTH: usize = 512 * 1024 * 1024;

impl Encoder<Vec<u8>> for Resp {
    type Error = io::Error;

    fn encode(&mut self, packed: Vec<u8>, out: &mut BytesMut) -> io::Result<()> {
        out.extend_from_slice(&packed);
        Ok(())
    }
}

impl Decoder for Resp {
    type Item = Value;
    type Error = io::Error;

    fn decode(&mut self, read: &mut BytesMut) -> io::Result<Option<Value>> {
        let len = match measure(read)? {
            Extent::Complete(len) => len,
            Extent::Needs(len) => {
                read.reserve(len.saturating_sub(read.len()));
                return Ok(None);
            }
        };
        let mut rest = Rest { bytes: read.split_to(len).freeze(), at: 0 };
        rest.value(MAX_DEPTH).map(Some)
    }
}

/// How far a value extends.
enum Extent {
    /// It is there, and this long.
    Complete(usize),
    /// It is at least this long.
    Needs(usize),
}

/// Steps over a value from head to head, without looking at the strings.
fn measure(read: &[u8]) -> io::Result<Extent> {
    let (mut at, mut values) = (0_usize, 1_usize);
    while values > 0 {
        let Some((kind, text, next)) = head(read, at) else {
            return Ok(Extent::Needs(read.len() + 1));
        };
        values -= 1;
        at = next;
        match kind {
            b'$' => at += length(text)?.map_or(0, |len| len + 2),
            b'*' => values += length(text)?.unwrap_or(0),
            _ => {}
        }
        if at > read.len() {
            return Ok(Extent::Needs(at));
        }
    }
    Ok(Extent::Complete(at))
}

/// The kind of the value at `at`, the rest of its first line, and where the next line begins.
fn head(read: &[u8], at: usize) -> Option<(u8, &[u8], usize)> {
    let (&kind, rest) = read.get(at..)?.split_first()?;
    let end = rest.iter().position(|&byte| byte == b'\r')?;
    let text = rest.get(..end)?;
    // Kind, text, and the two bytes of the line's end, which must have arrived too.
    let next = at + 1 + end + 2;
    (next <= read.len()).then_some((kind, text, next))
}

/// A length; `None` is that of nothing.
fn length(text: &[u8]) -> io::Result<Option<usize>> {
    match integer(text)? {
        -1 => Ok(None),
        len => match usize::try_from(len) {
            Ok(len) if len <= MAX_LENGTH => Ok(Some(len)),
            _ => Err(malformed("a length")),
        },
    }
}

fn integer(text: &[u8]) -> io::Result<i64> {
    let text = std::str::from_utf8(text).map_err(|_| malformed("an integer"))?;
    text.parse().map_err(|_| malformed("an integer"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} of a reply cannot be understood"))
}

/// Values that are known to be complete.
struct Rest {
    bytes: Bytes,
    at: usize,
}

impl Rest {
    fn value(&mut self, depth: u32) -> io::Result<Value> {
        let start = self.at + 1;
        let (kind, text, next) = head(&self.bytes, self.at).ok_or_else(|| malformed("the head"))?;
        let end = start + text.len();
        let length = if matches!(kind, b'$' | b'*') { length(text)? } else { None };
        self.at = next;
        Ok(match (kind, length) {
            (b'$', Some(len)) => Value::Bulk(self.bulk(len)),
            (b'*', Some(len)) => self.array(len, depth)?,
            (b'$' | b'*', None) => Value::Nil,
            (b'+', _) => Value::Simple(self.bytes.slice(start..end)),
            (b':', _) => Value::Integer(integer(self.bytes.get(start..end).unwrap_or_default())?),
            (b'-', _) => {
                let text = self.bytes.get(start..end).unwrap_or_default();
                Value::Error(String::from_utf8_lossy(text).into_owned())
            }
            _ => return Err(malformed("the kind")),
        })
    }

    fn bulk(&mut self, len: usize) -> Bytes {
        let start = self.at;
        self.at += len + 2;
        self.bytes.slice(start..start + len)
    }

    fn array(&mut self, len: usize, depth: u32) -> io::Result<Value> {
        let Some(depth) = depth.checked_sub(1) else { return Err(malformed("the nesting")) };
        (0..len).map(|_| self.value(depth)).collect::<io::Result<_>>().map(Value::Array)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Bytes, BytesMut, Decoder, Resp, Value};

    fn bulk(text: &'static str) -> Value {
        Value::Bulk(Bytes::from_static(text.as_bytes()))
    }

    fn decode_all(bytes: &[u8]) -> Vec<Value> {
        let mut read = BytesMut::from(bytes);
        std::iter::from_fn(|| Resp.decode(&mut read).unwrap()).collect()
    }

    const STREAM: &[u8] = b"+OK\r\n:-7\r\n$-1\r\n*-1\r\n$0\r\n\r\n$4\r\na\r\nb\r\n-ERR no\r\n\
        *2\r\n*1\r\n:1\r\n$1\r\nx\r\n*0\r\n";

    fn expected() -> Vec<Value> {
        vec![
            Value::Simple(Bytes::from_static(b"OK")),
            Value::Integer(-7),
            Value::Nil,
            Value::Nil,
            bulk(""),
            bulk("a\r\nb"),
            Value::Error("ERR no".to_owned()),
            Value::Array(vec![Value::Array(vec![Value::Integer(1)]), bulk("x")]),
            Value::Array(vec![]),
        ]
    }

    #[test]
    fn reads_every_kind() {
        assert_eq!(decode_all(STREAM), expected());
    }

    #[test]
    fn reads_what_arrives_byte_by_byte() {
        let (mut read, mut values) = (BytesMut::new(), Vec::new());
        for byte in STREAM {
            read.extend_from_slice(&[*byte]);
            values.extend(std::iter::from_fn(|| Resp.decode(&mut read).unwrap()));
        }
        assert_eq!(values, expected());
    }

    #[test]
    fn refuses_what_is_no_reply() {
        let deep = b"*1\r\n".repeat(20);
        for bytes in [&b"?\r\n"[..], b"$x\r\n", b"$-2\r\n", b"$999999999999\r\n", b":1x\r\n", &deep]
        {
            let mut read = BytesMut::from(bytes);
            read.extend_from_slice(b":1\r\n");
            assert!(Resp.decode(&mut read).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
