//! Why bytes could not be read or written.

/// Why a payload cannot be read: no server would have written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Empty.
    #[error("the payload is empty")]
    Empty,
    /// Not JSON.
    #[error("the payload is not valid JSON")]
    Json,
    /// Not MessagePack: cut short, followed by more bytes, or with a byte that has no meaning.
    #[error("the payload is not valid MessagePack")]
    MessagePack,
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("the payload is nested too deeply")]
    Depth,
    /// Valid, but not a message: an array in the place of an object, an unknown extension.
    #[error("the payload is not a message")]
    Type,
    /// Longer than a message may be or, as text, than a string of JavaScript may be.
    #[error("the payload is too long")]
    TooLong,
    /// More rooms, exceptions or attachments than a message may have.
    #[error("the payload names too many rooms, or holds too many attachments")]
    TooMany,
}

impl Malformed {
    /// A short, stable name, for counters.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Json => "json",
            Self::MessagePack => "msgpack",
            Self::Depth => "depth",
            Self::Type => "type",
            Self::TooLong => "length",
            Self::TooMany => "count",
        }
    }
}

/// Why a message cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The text handed in is not JSON.
    #[error("the message is not valid JSON")]
    Json,
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("the message is nested too deeply")]
    Depth,
    /// Longer than the 4 GiB that MessagePack has lengths for.
    #[error("the message is too long")]
    TooLong,
}
