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
    /// The Sentinels lead to no master.
    #[error("The Sentinels of {name} lead to no master: {reasons}")]
    Sentinel {
        /// The master's name.
        name: String,
        /// What is wrong with each Sentinel or its answer, after its `host:port`.
        reasons: String,
    },
    /// Redis refused the credentials, or wants some.
    #[error("Redis at {endpoint} refused the connection: {reply}{}", advice(.reply))]
    Refused {
        /// Where Redis listens.
        endpoint: String,
        /// The error reply, as Redis worded it.
        reply: String,
    },
    /// The server is a replica: what is published there reaches no other server, and it takes no data.
    #[error(
        "Redis at {endpoint} is a replica: what is published there would reach only its own subscribers. It is tried again until it is a master; if there was a failover, point to the new master, or pass Sentinels or a cluster, which are followed"
    )]
    ReadOnly {
        /// Where Redis listens.
        endpoint: String,
    },
    /// An open connection broke, or went silent for too long.
    #[error("The connection to Redis at {endpoint} was lost: {reason}")]
    Lost {
        /// Where Redis listens.
        endpoint: String,
        /// Why it counts as lost.
        reason: String,
    },
    /// Redis has not answered for a while, and takes connections.
    #[error(
        "Redis at {endpoint} has not answered for {seconds} s. The connection is kept, and nothing is lost as long as it is whole"
    )]
    Stalled {
        /// Where Redis listens.
        endpoint: String,
        /// For how long, in s.
        seconds: u64,
    },
    /// What is published does not come back.
    #[error(
        "What is published does not come back on channel {channel}: the connections that publish and subscribe lead to different servers, or these have parted. Both look for their server anew"
    )]
    Split {
        /// The channel of heartbeats.
        channel: String,
    },
    /// Redis has no sharded channels, which came with version 7.
    #[error(
        "Redis does not know {command}: {reply}. Sharded channels need Redis 7 or later, or a server that has them: use createAdapter with this one"
    )]
    ShardedUnsupported {
        /// The command's name.
        command: &'static str,
        /// The error reply, as Redis worded it.
        reply: String,
    },
    /// Redis refused a subscription; it is asked for again.
    #[error(
        "Redis refused {command} {channel}: {reply}. It is asked for again{}", without_patterns(.command)
    )]
    SubscriptionRefused {
        /// The command's name.
        command: &'static str,
        /// The channel or pattern.
        channel: String,
        /// The error reply, as Redis worded it.
        reply: String,
    },
    /// A task or a consumer has panicked: a bug of this package. It goes on.
    #[error(
        "A bug of socket.io-redis-native: the {task} panicked ({reason}). It goes on; please report this"
    )]
    Internal {
        /// What has panicked.
        task: &'static str,
        /// What the panic said.
        reason: String,
    },
    /// Redis answered a command with an error.
    #[error("Redis answered {command} with an error: {reply}{}", advice(.reply))]
    Reply {
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
    /// The connections are closed: the store has been destroyed, or the adapter closed.
    #[error("The connections to Redis are closed")]
    Closed,
    /// A message could not be written in the chosen codec.
    #[error("A message for channel {channel} could not be encoded{}: {reason}", times(*.count))]
    Encode {
        /// How many such messages there were, when several are reported at once.
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
        /// How many since this kind was last reported.
        count: u64,
    },
}

impl Error {
    /// The stable code that JavaScript sees as `error.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "ERR_CONNECT",
            Self::Sentinel { .. } => "ERR_SENTINEL",
            Self::Refused { .. } => "ERR_REFUSED",
            Self::Lost { .. } => "ERR_CONNECTION_LOST",
            Self::Stalled { .. } => "ERR_STALLED",
            Self::ReadOnly { .. } => "ERR_READ_ONLY",
            Self::Split { .. } => "ERR_SPLIT",
            Self::ShardedUnsupported { .. } => "ERR_SHARDED_UNSUPPORTED",
            Self::SubscriptionRefused { .. } => "ERR_SUBSCRIPTION_REFUSED",
            Self::Internal { .. } => "ERR_INTERNAL",
            Self::Reply { .. } => "ERR_REDIS_REPLY",
            Self::Timeout(_) => "ERR_COMMAND_TIMEOUT",
            Self::QueueFull => "ERR_QUEUE_FULL",
            Self::MailboxFull => "ERR_MAILBOX_FULL",
            Self::Closed => "ERR_CLOSED",
            Self::Encode { .. } => "ERR_ENCODE",
            Self::Malformed { .. } => "ERR_MALFORMED_MESSAGE",
        }
    }

    /// The same error, reported for `many` of its kind at once.
    #[must_use]
    pub fn times(mut self, many: u64) -> Self {
        if let Self::Encode { count, .. } = &mut self {
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

/// As `{ code, message, cause }`, where the cause is the text of the underlying error, or null; for
/// a refused subscription with `command` and `channel`.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            code: &'a str,
            message: String,
            cause: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            command: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            channel: Option<&'a str>,
        }
        // The message has the words of the first; what TLS said is below it.
        let cause = std::error::Error::source(self);
        let cause = cause.map(|cause| cause.source().unwrap_or(cause).to_string());
        let (command, channel) = match self {
            Self::SubscriptionRefused { command, channel, .. } => {
                (Some(*command), Some(&**channel))
            }
            _ => (None, None),
        };
        let (code, message) = (self.code(), self.to_string());
        Fields { code, message, cause, command, channel }.serialize(serializer)
    }
}

/// What to do where a server, or a user of it, has no patterns.
fn without_patterns(command: &str) -> &'static str {
    if command == "PSUBSCRIBE" {
        "; where patterns are not allowed, subscriptionMode: 'dynamic' of createAdapter does without"
    } else {
        ""
    }
}

/// What to do about a state of the server in which it refuses.
fn advice(reply: &str) -> String {
    let advice = match reply.split_whitespace().next().unwrap_or_default() {
        "MISCONF" => {
            "Until Redis can save to its disk again, it takes no data: see its log, the space on its disk and the rights of its dir, or turn stop-writes-on-bgsave-error off"
        }
        "OOM" => {
            "Until there is memory again, Redis takes no data: raise its maxmemory, or choose a maxmemory-policy that evicts"
        }
        "NOREPLICAS" => {
            "Until enough replicas are connected, Redis takes no data: bring them back, or lower min-replicas-to-write"
        }
        "LOADING" => "That is over once its data set is loaded",
        "NOPERM" => "Give the user the right with ACL SETUSER: the README says which are needed",
        _ if reply.contains("max number of clients") => {
            "It is tried again until there is room: raise maxclients of Redis, or see what has so many connections"
        }
        _ => return String::new(),
    };
    let end = if reply.ends_with('.') { "" } else { "." };
    format!("{end} {advice}")
}

fn times(count: u64) -> String {
    if count == 1 { String::new() } else { format!(" ({count} times)") }
}

/// What a panic said.
#[must_use]
pub fn panic_reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no reason given").to_owned()
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;
