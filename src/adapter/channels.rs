//! The channels of a namespace, whose names JavaScript makes.

/// The names of a namespace's channels, for the prefix `key` and the namespace `nsp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channels {
    /// `key#nsp#`: broadcasts; that of a room has the room's name and `#` behind it.
    pub broadcasts: String,
    /// The pattern of all broadcasts.
    pub all_broadcasts: String,
    /// The pattern of broadcasts to single sockets.
    pub socket_broadcasts: String,
    /// `key-request#nsp#`: requests to all servers. Its subscribers are counted.
    pub requests: String,
    /// `key-response#nsp#`: responses.
    pub responses: String,
    /// `key-response#nsp#uid#`: responses to this server alone.
    pub own_responses: String,
    /// `key-native#nsp#`: requests among servers of this package.
    pub native_requests: String,
}
