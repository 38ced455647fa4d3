//! Where a Redis server is and how to enter it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// An endpoint, as `lib/endpoint` reads it from a client object, options or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or address. Default: `localhost`.
    pub host: String,
    /// TCP port. Default: 6379.
    pub port: u16,
    /// Path of a unix domain socket; it takes the place of host and port.
    pub path: Option<String>,
    /// ACL user, for Redis 6 and later. Without a password it enters with an empty one.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Database number. Default: 0. It matters to commands only: channels span databases.
    pub db: i64,
    /// TLS, when wanted.
    pub tls: Option<Tls>,
    /// The connections' name, for `CLIENT SETNAME`.
    pub name: Option<String>,
    /// What the connections say to be, for `CLIENT SETINFO`; nothing when they must not.
    pub library: Option<String>,
    /// What the application is asked before each connection.
    pub preparation: Option<Preparation>,
    /// Where the Sentinels are that name the server, if some do: then `host` and `port` are one of theirs.
    pub sentinel: Option<SentinelAt>,
    /// Where nodes of the cluster are, if it is one: then `host` and `port` are those of the first.
    pub cluster: Option<ClusterAt>,
    /// Where the addresses lead that Sentinels and clusters give.
    pub address_map: Option<AddressMap>,
}

/// A server's host and port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Host name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The Sentinels of a master, and how to enter them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelAt {
    /// Where they are.
    pub nodes: Vec<Address>,
    /// The master's name.
    pub name: String,
    /// ACL user of the Sentinels.
    pub username: Option<String>,
    /// Password of the Sentinels.
    pub password: Option<String>,
    /// TLS to the Sentinels.
    pub tls: Option<Tls>,
}

/// The nodes of a cluster that are known from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterAt {
    /// Where they are.
    pub nodes: Vec<Address>,
}

/// Asks the application where an address leads: `None` where it is to be taken as it is.
pub type Mapping = Pin<Box<dyn Future<Output = Option<Address>> + Send>>;

/// Where the addresses lead that Sentinels and clusters give, as ioredis' `natMap` and redis'
/// `nodeAddressMap` say it.
#[derive(Clone)]
pub struct AddressMap {
    /// The same for the same map.
    pub id: u32,
    /// Where each leads, by its text.
    pub entries: HashMap<String, Address>,
    /// Asked for others.
    pub ask: Option<Arc<dyn Fn(String) -> Mapping + Send + Sync>>,
}

impl AddressMap {
    /// Where an address leads.
    pub async fn lead(&self, address: Address) -> Address {
        if let Some(led) = self.led(&address) {
            return led;
        }
        match &self.ask {
            Some(ask) => ask(address.to_string()).await.unwrap_or(address),
            None => address,
        }
    }

    /// Where an address leads, if the application need not be asked.
    #[must_use]
    pub fn led(&self, address: &Address) -> Option<Address> {
        let mapped = self.entries.get(&address.to_string()).cloned();
        mapped.or_else(|| self.ask.is_none().then(|| address.clone()))
    }
}

impl PartialEq for AddressMap {
    fn eq(&self, other: &Self) -> bool {
        (self.id, &self.entries) == (other.id, &other.entries)
    }
}

impl Eq for AddressMap {}

impl fmt::Debug for AddressMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AddressMap").field(&self.id).finish()
    }
}

/// What the application has said.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// Takes the place of the endpoint's.
    pub username: Option<String>,
    /// Takes the place of the endpoint's.
    pub password: Option<String>,
    /// The host's addresses; none: the system is asked.
    pub addresses: Vec<IpAddr>,
}

/// The answer, or why there is none.
pub type Preparing = Pin<Box<dyn Future<Output = Result<Prepared, String>> + Send>>;

/// Asks the application for credentials and addresses.
#[derive(Clone)]
pub struct Preparation {
    /// The same for the same question, so that endpoints can be compared.
    pub id: u32,
    /// Asks, with the host that is about to be connected to. The answer comes, or the reason why it does not.
    pub ask: Arc<dyn Fn(String) -> Preparing + Send + Sync>,
}

impl PartialEq for Preparation {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Preparation {}

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Preparation").field(&self.id).finish()
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.2
    Tls12,
    /// 1.3
    Tls13,
}

/// TLS options, named as Node's `tls.connect` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// PEM texts of the certificates to trust. Default: none.
    pub ca: Vec<String>,
    /// Whether what the system trusts is trusted too. Default: `false`.
    pub system: bool,
    /// Whether they are trusted without their issuers (`allowPartialTrustChain`). Default: `false`.
    pub partial: bool,
    /// PEM text of the client's certificate chain.
    pub cert: Option<String>,
    /// PEM text of the client's private key.
    pub key: Option<String>,
    /// The name that the server's certificate must bear. Default: the endpoint's host.
    pub servername: Option<String>,
    /// Whether the server's certificate is checked. Default: `true`.
    pub reject_unauthorized: bool,
    /// The lowest version. Default: 1.2.
    pub min: Version,
    /// The highest version. Default: 1.3.
    pub max: Version,
    /// IANA's numbers of the cipher suites, the best first. Default: all that are known.
    pub suites: Option<Vec<u16>>,
    /// IANA's numbers of the groups for the key exchange, the best first. Default: all that are known.
    pub groups: Option<Vec<u16>>,
    /// The protocols to offer (`ALPNProtocols`). Default: none.
    pub alpn: Vec<String>,
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
            name: None,
            library: None,
            preparation: None,
            sentinel: None,
            cluster: None,
            address_map: None,
        }
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            ca: Vec::new(),
            system: false,
            partial: false,
            cert: None,
            key: None,
            servername: None,
            reject_unauthorized: true,
            min: Version::Tls12,
            max: Version::Tls13,
            suites: None,
            groups: None,
            alpn: Vec::new(),
        }
    }
}

impl Endpoint {
    /// Whether both point to the same server and enter it as the same user. The database may
    /// differ: channels span databases.
    #[must_use]
    pub fn same_server(&self, other: &Self) -> bool {
        Self { db: 0, ..self.clone() } == Self { db: 0, ..other.clone() }
    }

    /// One of its servers, entered in the same way.
    #[must_use]
    pub fn at(&self, Address { host, port }: Address) -> Self {
        let (path, sentinel, cluster, address_map) = (None, None, None, None);
        Self { host, port, path, sentinel, cluster, address_map, ..self.clone() }
    }
}

/// `host:port`, the socket's path, or the name of the Sentinels' master: never credentials.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(SentinelAt { name, .. }) = &self.sentinel {
            return f.write_str(name);
        }
        match &self.path {
            Some(path) => f.write_str(path),
            None if self.host.contains(':') => write!(f, "[{}]:{}", self.host, self.port),
            None => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Tls};

    #[test]
    fn is_shown_without_credentials() {
        let endpoint = Endpoint::default();
        assert_eq!(endpoint.to_string(), "localhost:6379");
        let password = Some("secret".to_owned());
        let endpoint = Endpoint { host: "::1".to_owned(), port: 1, password, ..endpoint };
        assert_eq!(endpoint.to_string(), "[::1]:1");
        let path = Some("/tmp/redis.sock".to_owned());
        assert_eq!(Endpoint { path, ..endpoint }.to_string(), "/tmp/redis.sock");
    }

    #[test]
    fn the_same_server_whatever_the_database() {
        let plain = Endpoint::default();
        assert!(plain.same_server(&Endpoint { db: 5, ..plain.clone() }));
        let text = || Some("x".to_owned());
        for other in [
            Endpoint { host: "b".to_owned(), ..plain.clone() },
            Endpoint { port: 1, ..plain.clone() },
            Endpoint { path: text(), ..plain.clone() },
            Endpoint { username: text(), ..plain.clone() },
            Endpoint { password: text(), ..plain.clone() },
            Endpoint { tls: Some(Tls::default()), ..plain.clone() },
        ] {
            assert!(!plain.same_server(&other), "{other:?}");
        }
    }
}
