//! Where a Redis server is and how to enter it.

use serde::Deserialize;

/// An endpoint, as `lib/endpoint/` reads it from a client object, options or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// Host name or address. Default: `localhost`.
    pub host: String,
    /// TCP port. Default: 6379.
    pub port: u16,
    /// Path of a unix domain socket; it takes the place of host and port.
    pub path: Option<String>,
    /// ACL user, for Redis 6 and later.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Database number. Default: 0. It matters to commands only: channels span databases.
    pub db: i64,
    /// TLS, when wanted.
    pub tls: Option<Tls>,
}

/// TLS options, named as Node's `tls.connect` names them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tls {
    /// PEM texts of the authorities to trust. Default: Mozilla's, as in Node.
    pub ca: Vec<String>,
    /// PEM text of the client's certificate chain.
    pub cert: Option<String>,
    /// PEM text of the client's private key.
    pub key: Option<String>,
    /// The name that the server's certificate must bear. Default: the endpoint's host.
    pub servername: Option<String>,
    /// Whether the server's certificate is checked. Default: `true`.
    pub reject_unauthorized: bool,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 6379,
            path: None,
            username: None,
            password: None,
            db: 0,
            tls: None,
        }
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self { ca: Vec::new(), cert: None, key: None, servername: None, reject_unauthorized: true }
    }
}

impl Endpoint {
    /// Reads the JSON object that crosses from JavaScript.
    ///
    /// # Errors
    /// What serde says of text that is not such an object.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// Whether both point to the same server and enter it as the same user. The database may
    /// differ: channels span databases.
    #[must_use]
    pub fn same_server(&self, other: &Self) -> bool {
        Self { db: 0, ..self.clone() } == Self { db: 0, ..other.clone() }
    }
}

/// `host:port`, or the socket's path: never credentials.
impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => f.write_str(path),
            None if self.host.contains(':') => write!(f, "[{}]:{}", self.host, self.port),
            None => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
