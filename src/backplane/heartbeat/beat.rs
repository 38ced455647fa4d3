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

#[derive(Deserialize)]
struct Version {
    v: u64,
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
    /// Reads what a peer has sent; nothing where that is of another version.
    ///
    /// # Errors
    /// Where it is no beat, or too large.
    pub(super) fn read(payload: &[u8]) -> Result<Option<Self>, ()> {
        if payload.len() > MAX_BYTES {
            return Err(());
        }
        let Version { v } = serde_json::from_slice(payload).map_err(drop)?;
        if v != 1 {
            return Ok(None);
        }
        let beat: Self = serde_json::from_slice(payload).map_err(drop)?;
        let is_short = |text: &str| (1..=MAX_NAME).contains(&text.len());
        let is_valid = |(channel, uid): &Member| is_short(channel) && is_short(uid);
        let is_valid = is_short(&beat.id)
            && beat.members.len() <= MAX_MEMBERS
            && beat.members.iter().all(is_valid);
        if is_valid { Ok(Some(beat)) } else { Err(()) }
    }

    /// The bytes of memory that it holds, about.
    pub(super) fn size(&self) -> usize {
        let members = self.members.iter();
        members.map(|(channel, uid)| size_of::<Member>() + channel.len() + uid.len()).sum()
    }

    /// The payload. It names as many members as are read.
    pub(super) fn write(mut self) -> Vec<u8> {
        let mut bytes = 1024;
        self.members.truncate(MAX_MEMBERS);
        self.members.retain(|(channel, uid)| {
            // Each byte may take six, as \\u0000.
            bytes += (channel.len() + uid.len()) * 6 + 8;
            bytes <= MAX_BYTES
        });
        // Strings and numbers: this cannot fail.
        serde_json::to_vec(&self).unwrap_or_default()
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
        let payload = beat.clone().write();
        let text = std::str::from_utf8(&payload).unwrap();
        let expected =
            r#"{"v":1,"id":"x","seq":7,"kind":"hello","members":[["socket.io-request#/#","abc"]]}"#;
        assert_eq!(text, expected);
        assert_eq!(Beat::read(&payload), Ok(Some(beat)));
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
            r#"{"v":-1,"id":"x","seq":1,"kind":"beat"}"#,
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
                Err(()),
                "{}",
                &payload[..payload.len().min(80)]
            );
        }
        let more = br#"{"v":1,"id":"x","seq":1,"kind":"beat","more":1}"#;
        assert!(Beat::read(more).unwrap().is_some());
        // A version to come is no error.
        assert_eq!(Beat::read(br#"{"v":2,"seq":"?"}"#), Ok(None));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let member = |number: usize| (format!("{number}{}", "\u{1}".repeat(500)), "u".to_owned());
        let members: Vec<_> = (0..5000).map(member).collect();
        let beat = Beat { v: 1, id: "x".to_owned(), seq: 1, kind: Kind::Beat, members };
        let read = Beat::read(&beat.write()).unwrap().unwrap();
        assert!((50..1000).contains(&read.members.len()), "{}", read.members.len());
    }
}
