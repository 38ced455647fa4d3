//! RESP2 as Redis sends it, read without copying.
//!
//! redis-rs has a codec for this, which takes four times as long for a message of 200 bytes
//! (bench/NOTES.md); commands are packed by redis-rs.

use std::io;
use std::ops::Range;

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
pub(super) struct Resp {
    progress: Progress,
}

/// How far the value that is arriving has been measured, so that no byte is looked at twice.
#[derive(Debug)]
struct Progress {
    /// Where the next head begins, or will.
    at: usize,
    /// How much of that head has been searched for its end.
    searched: usize,
    /// Whether the two bytes before `at` end a string.
    in_string: bool,
    /// How many values are still to come.
    owed: usize,
    /// How many have been stepped over.
    values: usize,
}

impl Default for Progress {
    fn default() -> Self {
        Self { at: 0, searched: 0, in_string: false, owed: 1, values: 0 }
    }
}

/// How deeply lists may be nested: Redis nests no reply of a command that is sent here.
const MAX_DEPTH: u32 = 8;
/// What ends a line, and a string.
const END: &[u8] = b"\r\n";
/// Redis limits a string to 512 MB.
const MAX_LENGTH: usize = 512 * 1024 * 1024;
/// No status or error of Redis is as long as this.
const MAX_LINE: usize = 64 * 1024;
/// Values in one reply: `PUBSUB CHANNELS` lists all channels of a server.
const MAX_VALUES: usize = 4 * 1024 * 1024;
/// Redis sends no reply that is longer: a message is one string, and lists have short ones.
const MAX_SIZE: usize = 2 * MAX_LENGTH;
/// What is reserved at once for a value that a peer claims to be long.
const RESERVE: usize = 1024 * 1024;
/// A buffer that has grown beyond this is not kept.
const MAX_KEPT: usize = 1024 * 1024;

impl Encoder<&[u8]> for Resp {
    type Error = io::Error;

    fn encode(&mut self, packed: &[u8], out: &mut BytesMut) -> io::Result<()> {
        out.extend_from_slice(packed);
        Ok(())
    }
}

impl Decoder for Resp {
    type Item = Value;
    type Error = io::Error;

    fn decode(&mut self, read: &mut BytesMut) -> io::Result<Option<Value>> {
        let Some(len) = self.progress.measure(read)? else {
            let more = self.progress.at.saturating_sub(read.len());
            read.reserve(more.clamp(1, RESERVE));
            return Ok(None);
        };
        self.progress = Progress::default();
        let large = len > MAX_KEPT;
        let bytes = read.split_to(len).freeze();
        if large {
            // What is left shares its memory with the value, and would keep all of it.
            *read = BytesMut::from(&**read);
        }
        Values { bytes, at: 0 }.next(MAX_DEPTH).map(Some)
    }
}

impl Progress {
    /// Steps from head to head, without looking into the strings: the length of the whole value
    /// once it is there.
    fn measure(&mut self, read: &[u8]) -> io::Result<Option<usize>> {
        loop {
            if self.at > MAX_SIZE {
                return Err(malformed("the size"));
            }
            if self.at > read.len() {
                return Ok(None);
            }
            if self.in_string && read.get(self.at - END.len()..self.at) != Some(END) {
                return Err(malformed("the end of a string"));
            }
            self.in_string = false;
            if self.owed == 0 {
                return Ok(Some(self.at));
            }
            let Some((kind, text)) = self.head(read)? else { return Ok(None) };
            self.at += 1 + text.len() + END.len();
            self.searched = 0;
            self.owed -= 1;
            self.values += 1;
            match (kind, length_of(kind, text)?) {
                (b'$', Some(len)) => {
                    self.at += len + END.len();
                    self.in_string = true;
                }
                (b'*', Some(len)) => self.owed += len,
                _ => {}
            }
            if self.values + self.owed > MAX_VALUES {
                return Err(malformed("the number of values"));
            }
        }
    }

    /// The kind of the next value and the rest of its first line, once that is there.
    fn head<'a>(&mut self, read: &'a [u8]) -> io::Result<Option<(u8, &'a [u8])>> {
        let Some((&kind, rest)) = read.get(self.at..).and_then(<[u8]>::split_first) else {
            return Ok(None);
        };
        if !matches!(kind, b'$' | b'*' | b'+' | b'-' | b':') {
            return Err(malformed("the kind"));
        }
        let line = rest.get(..MAX_LINE).unwrap_or(rest);
        let fresh = line.get(self.searched..).unwrap_or_default();
        let Some(end) = fresh.iter().position(|&byte| byte == b'\r') else {
            self.searched = line.len();
            return if line.len() < MAX_LINE { Ok(None) } else { Err(malformed("a line")) };
        };
        let end = self.searched + end;
        self.searched = end;
        match rest.get(end + 1) {
            Some(b'\n') => Ok(line.get(..end).map(|text| (kind, text))),
            Some(_) => Err(malformed("the end of a line")),
            None => Ok(None),
        }
    }
}

/// The length that a head gives, if it gives one; `None` is also that of nothing.
fn length_of(kind: u8, text: &[u8]) -> io::Result<Option<usize>> {
    if !matches!(kind, b'$' | b'*') {
        return Ok(None);
    }
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

/// Values that have been measured.
struct Values {
    bytes: Bytes,
    /// Where the next one begins.
    at: usize,
}

impl Values {
    fn next(&mut self, depth: u32) -> io::Result<Value> {
        let line = self.line()?;
        let text = self.bytes.get(line.clone()).unwrap_or_default();
        let (&kind, text) = text.split_first().ok_or_else(|| malformed("the kind"))?;
        Ok(match (kind, length_of(kind, text)?) {
            (b'$', Some(len)) => Value::Bulk(self.take(len)?),
            (b'*', Some(len)) => self.array(len, depth)?,
            (b'$' | b'*', None) => Value::Nil,
            (b'+', _) => Value::Simple(self.bytes.slice(line.start + 1..line.end)),
            (b':', _) => Value::Integer(integer(text)?),
            (b'-', _) => Value::Error(String::from_utf8_lossy(text).into_owned()),
            _ => return Err(malformed("the kind")),
        })
    }

    /// Where the next line stands, without its end.
    fn line(&mut self) -> io::Result<Range<usize>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\r');
        self.step(end.ok_or_else(|| malformed("a line"))?)
    }

    /// The next `len` bytes.
    fn take(&mut self, len: usize) -> io::Result<Bytes> {
        let taken = self.step(len)?;
        Ok(self.bytes.slice(taken))
    }

    /// Steps over `len` bytes and the line's end behind them.
    fn step(&mut self, len: usize) -> io::Result<Range<usize>> {
        let (start, end) = (self.at, self.at + len);
        self.at = end + END.len();
        if self.at > self.bytes.len() {
            return Err(malformed("a length"));
        }
        Ok(start..end)
    }

    fn array(&mut self, len: usize, depth: u32) -> io::Result<Value> {
        let Some(depth) = depth.checked_sub(1) else { return Err(malformed("the nesting")) };
        let mut list = Vec::with_capacity(len.min(self.bytes.len() - self.at));
        for _ in 0..len {
            list.push(self.next(depth)?);
        }
        Ok(Value::Array(list))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io;

    use super::{
        Bytes, BytesMut, Decoder, MAX_KEPT, MAX_LENGTH, MAX_LINE, MAX_SIZE, Progress, Resp, Value,
    };

    fn bulk(text: &'static str) -> Value {
        Value::Bulk(Bytes::from_static(text.as_bytes()))
    }

    fn decode_all(bytes: &[u8]) -> Vec<Value> {
        let (mut resp, mut read) = (Resp::default(), BytesMut::from(bytes));
        std::iter::from_fn(|| resp.decode(&mut read).unwrap()).collect()
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

    /// Decodes what arrives in parts of `size` bytes.
    fn decode_parts(bytes: &[u8], size: usize) -> io::Result<Vec<Value>> {
        let (mut resp, mut read, mut values) = (Resp::default(), BytesMut::new(), Vec::new());
        for part in bytes.chunks(size) {
            read.extend_from_slice(part);
            while let Some(value) = resp.decode(&mut read)? {
                values.push(value);
            }
        }
        Ok(values)
    }

    #[test]
    fn reads_what_arrives_in_parts() {
        for size in 1..STREAM.len() {
            assert_eq!(decode_parts(STREAM, size).unwrap(), expected(), "{size}");
        }
    }

    #[test]
    fn refuses_what_is_no_reply() {
        let deep = b"*1\r\n".repeat(20);
        let line = [b"+", &*vec![b'x'; MAX_LINE]].concat();
        let many = b"*2000000\r\n".repeat(3);
        for bytes in [
            &b"?"[..],
            b"\0",
            b"$x\r\n",
            b"$-2\r\n",
            b"$999999999999\r\n",
            b"+a\rb",
            b"$5\r\nhelloXX",
            b"*2\r\n$1\r\na\r\n?",
            &line,
            &many,
        ] {
            for size in [1, bytes.len()] {
                let text = String::from_utf8_lossy(bytes.get(..30).unwrap_or(bytes)).into_owned();
                assert!(decode_parts(bytes, size).is_err(), "{text} by {size}");
            }
        }
        for bytes in [&b":1x\r\n"[..], &[&*deep, b":1\r\n"].concat()] {
            assert!(decode_parts(bytes, bytes.len()).is_err());
        }
    }

    #[test]
    fn refuses_a_reply_that_is_too_long_altogether() {
        let string = format!("${MAX_LENGTH}\r\n").into_bytes();
        let measured = |at| Progress { at, owed: 2, ..Progress::default() }.measure(&string);
        assert!(matches!(measured(0), Ok(None)));
        assert!(matches!(measured(MAX_SIZE), Ok(None)));
        assert!(measured(MAX_SIZE + 1).is_err());
    }

    #[test]
    fn a_list_that_arrives_in_parts_is_measured_once() {
        // A hundred thousand values in parts of 16 bytes: to begin anew with each part would take
        // billions of steps.
        let list = [&b"*100000\r\n"[..], &b"$4\r\nabcd\r\n".repeat(100_000)].concat();
        let values = decode_parts(&list, 16).unwrap();
        assert!(matches!(&*values, [Value::Array(all)] if all.len() == 100_000));
    }

    #[test]
    fn reserves_no_more_than_arrives() {
        let (mut resp, mut read) = (Resp::default(), BytesMut::from(&b"$536870912\r\nabc"[..]));
        assert!(resp.decode(&mut read).unwrap().is_none());
        assert!(read.capacity() < 4 * MAX_KEPT, "{}", read.capacity());
    }

    #[test]
    fn keeps_no_buffer_of_a_large_message() {
        let large = [&b"$8388608\r\n"[..], &vec![b'x'; 8_388_608], b"\r\n+OK\r\n+O"].concat();
        let (mut resp, mut read) = (Resp::default(), BytesMut::from(&*large));
        assert!(resp.decode(&mut read).unwrap().is_some());
        assert!(resp.decode(&mut read).unwrap().is_some());
        assert!(resp.decode(&mut read).unwrap().is_none());
        read.reserve(64 * 1024);
        assert!(read.capacity() <= MAX_KEPT, "{}", read.capacity());
        assert_eq!(&*read, b"+O");
    }
}
