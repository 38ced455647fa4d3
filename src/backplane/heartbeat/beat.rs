//! One heartbeat, as it crosses Redis.

use serde::{Deserialize, Serialize};

/// What a process says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beat {
    /// The version of this message: 1.
    pub(super) v: u8,
    /// Unique to the process's connections.
    pub(super) id: String,
    /// Grows by one from beat to beat.
    pub(super) seq: u64,
    /// Why it is sent.
    pub(super) kind: Kind,
    /// The channel of requests, and the uid, of each namespace that it serves.
    #[serde(default)]
    pub(super) members: Vec<Member>,
}

/// A channel of requests and a uid.
pub(super) type Member = (String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// It has just subscribed: those that hear it say that they are there.
    Hello,
    /// It is there.
    Beat,
    /// It leaves.
    Bye,
}

/// The longest beat that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// How long an id, a uid or a channel may be, in bytes.
const MAX_NAME: usize = 1024;
/// How many members a beat may name.
const MAX_MEMBERS: usize = 1000;

impl Beat {
    /// Reads what a peer has sent; nothing where that is no beat of this version, or too large.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        if payload.len() > MAX_BYTES {
            return None;
        }
        let beat: Self = serde_json::from_slice(payload).ok()?;
        let is_short = |text: &str| (1..=MAX_NAME).contains(&text.len());
        let is_valid = |(channel, uid): &Member| is_short(channel) && is_short(uid);
        let is_valid = beat.v == 1
            && is_short(&beat.id)
            && beat.members.len() <= MAX_MEMBERS
            && beat.members.iter().all(is_valid);
        is_valid.then_some(beat)
    }

    /// The payload.
    pub(super) fn write(&self) -> Vec<u8> {
        // Strings and numbers: this cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Beat, Kind};

    #[test]
    fn is_read_as_it_was_written() {
        let members = vec![("socket.io-request#/#".to_owned(), "abc".to_owned())];
        let beat = Beat { v: 1, id: "x".to_owned(), seq: 7, kind: Kind::Hello, members };
        let payload = beat.write();
        let text = std::str::from_utf8(&payload).unwrap();
        let expected =
            r#"{"v":1,"id":"x","seq":7,"kind":"hello","members":[["socket.io-request#/#","abc"]]}"#;
        assert_eq!(text, expected);
        assert_eq!(Beat::read(&payload), Some(beat));
    }

    #[test]
    fn what_is_no_beat_is_not_read() {
        let long = format!(r#"{{"v":1,"id":"{}","seq":1,"kind":"beat"}}"#, "x".repeat(2000));
        let many = format!(
            r#"{{"v":1,"id":"x","seq":1,"kind":"beat","members":[{}]}}"#,
            vec![r#"["a","b"]"#; 1001].join(",")
        );
        for payload in [
            "",
            "null",
            "[]",
            r#"{"v":2,"id":"x","seq":1,"kind":"beat"}"#,
            r#"{"v":1,"id":"","seq":1,"kind":"beat"}"#,
            r#"{"v":1,"id":"x","seq":-1,"kind":"beat"}"#,
            r#"{"v":1,"id":"x","seq":1.5,"kind":"beat"}"#,
            r#"{"v":1,"id":"x","seq":1,"kind":"other"}"#,
            r#"{"v":1,"id":1,"seq":1,"kind":"beat"}"#,
            r#"{"v":1,"id":"x","seq":1,"kind":"beat","members":[["a"]]}"#,
            r#"{"v":1,"id":"x","seq":1,"kind":"beat","members":[["a",1]]}"#,
            &long,
            &many,
            &" ".repeat(300_000),
        ] {
            assert_eq!(
                Beat::read(payload.as_bytes()),
                None,
                "{}",
                &payload[..payload.len().min(80)]
            );
        }
        assert!(Beat::read(br#"{"v":1,"id":"x","seq":1,"kind":"beat","more":1}"#).is_some());
    }
}
