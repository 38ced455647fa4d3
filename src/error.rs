//! The one error type of the crate, with codes that users can rely on.

use std::io;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// What can go wrong between the application and Redis.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection could be opened.
    #[error("Cannot connect to Redis at {endpoint}: {source}")]
    Connect {
        /// Where Redis was expected, as `host:port` or a socket's path.
        endpoint: String,
        /// What the operating system or the TLS layer said.
        source: Arc<io::Error>,
    },
    /// Redis refused the credentials, or wants some.
    #[error("Redis at {endpoint} refused the connection: {reply}")]
    Refused {
        /// Where Redis listens.
        endpoint: String,
        /// The error reply, as Redis worded it.
        reply: String,
    },
    /// An endpoint's TLS material cannot be used.
    #[error("The TLS options cannot be used: {0}")]
    Tls(String),
    /// An open connection broke, or went silent for too long.
    #[error("The connection to Redis at {endpoint} was lost: {reason}")]
    Lost {
        /// Where Redis listens.
        endpoint: String,
        /// Why it counts as lost.
        reason: String,
    },
    /// Redis answered a command with an error.
    #[error("Redis answered {command} with an error{}: {reply}", times(*.count))]
    Reply {
        /// How many such commands there were, when several are told at once.
        count: u64,
        /// The command's name.
        command: &'static str,
        /// The error reply, as Redis worded it.
        reply: String,
    },
    /// No reply arrived within `commandTimeout`.
    #[error("Redis did not answer within {0} ms (commandTimeout)")]
    Timeout(u64),
    /// The offline queue was full, and this was the oldest entry in it.
    #[error(
        "Redis is away and the offline queue is full (offlineQueue): the oldest entry was dropped"
    )]
    QueueFull,
    /// The mailbox was full, and `overflow` is `'disconnect'`.
    #[error(
        "The event loop is behind and the mailbox is full (mailbox, overflow): the connection is closed until it has caught up"
    )]
    MailboxFull,
    /// The store has been destroyed.
    #[error("The store has been destroyed")]
    Closed,
    /// A message could not be written in the chosen codec.
    #[error("A message for channel {channel} could not be encoded{}: {reason}", times(*.count))]
    Encode {
        /// How many such messages there were, when several are told at once.
        count: u64,
        /// The channel it was for.
        channel: String,
        /// What the encoder said.
        reason: String,
    },
    /// Messages arrived that are not what a Socket.IO store publishes.
    #[error("{count} malformed message(s) ({kind}) were ignored, the last on channel {channel}")]
    Malformed {
        /// What is wrong with them.
        kind: &'static str,
        /// The channel that the last of them arrived on.
        channel: String,
        /// How many since this kind was last told.
        count: u64,
    },
}

impl Error {
    /// The stable code that JavaScript sees as `error.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "ERR_CONNECT",
            Self::Refused { .. } => "ERR_REFUSED",
            Self::Tls(_) => "ERR_TLS",
            Self::Lost { .. } => "ERR_CONNECTION_LOST",
            Self::Reply { .. } => "ERR_REDIS_REPLY",
            Self::Timeout(_) => "ERR_COMMAND_TIMEOUT",
            Self::QueueFull => "ERR_QUEUE_FULL",
            Self::MailboxFull => "ERR_MAILBOX_FULL",
            Self::Closed => "ERR_STORE_DESTROYED",
            Self::Encode { .. } => "ERR_ENCODE",
            Self::Malformed { .. } => "ERR_MALFORMED_MESSAGE",
        }
    }

    /// The same error, told for `many` of its kind at once.
    #[must_use]
    pub fn times(mut self, many: u64) -> Self {
        if let Self::Reply { count, .. } | Self::Encode { count, .. } = &mut self {
            *count = many;
        }
        self
    }

    /// The error as the JSON object that crosses to JavaScript.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Three strings: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// As `{ code, message, cause }`, where the cause is the text of the underlying error, or null.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            code: &'a str,
            message: String,
            cause: Option<String>,
        }
        let cause = std::error::Error::source(self).map(ToString::to_string);
        Fields { code: self.code(), message: self.to_string(), cause }.serialize(serializer)
    }
}

fn times(count: u64) -> String {
    if count == 1 { String::new() } else { format!(" ({count} times)") }
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;
