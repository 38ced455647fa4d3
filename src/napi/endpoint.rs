//! Where a `NativeBackplane` connects to, as it crosses from JavaScript; see `lib/endpoint`.

use std::net::IpAddr;
use std::sync::Arc;

use napi::Status;
use napi::bindgen_prelude::Promise;
use napi::threadsafe_function::ThreadsafeFunction;
use napi_derive::napi;

use crate::connection::{
    Address, AddressMap, ClusterAt, Endpoint, Mapping, Preparation, Prepared, SentinelAt, Tls,
    Version,
};

/// Asks the application. Weak: it keeps nothing alive.
type Ask = ThreadsafeFunction<String, Promise<NativePrepared>, String, Status, false, true>;

/// Asks the application where an address leads. Weak, likewise.
type AskAddress =
    ThreadsafeFunction<String, Promise<Option<NativeAddress>>, String, Status, false, true>;

/// Where one Redis server is and how to enter it.
#[napi(object, object_to_js = false, use_nullable = true)]
pub struct NativeEndpoint {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path of a unix domain socket; it takes the place of host and port.
    pub path: Option<String>,
    /// ACL user.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Database number.
    pub db: i64,
    /// TLS, when wanted.
    pub tls: Option<NativeTls>,
    /// The connections' name.
    pub name: Option<String>,
    /// What the connections say to be.
    pub library: Option<String>,
    /// What is asked before each connection.
    pub preparation: Option<NativePreparation>,
    /// The Sentinels that name the server.
    pub sentinel: Option<NativeSentinel>,
    /// Nodes of the cluster.
    pub cluster: Option<NativeCluster>,
    /// Where the addresses lead that Sentinels and clusters give.
    pub address_map: Option<NativeAddressMap>,
}

/// A host and port.
#[napi(object)]
pub struct NativeAddress {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// The Sentinels of a master.
#[napi(object, use_nullable = true)]
pub struct NativeSentinel {
    /// Where they are.
    pub nodes: Vec<NativeAddress>,
    /// The master's name.
    pub name: String,
    /// ACL user of the Sentinels.
    pub username: Option<String>,
    /// Password of the Sentinels.
    pub password: Option<String>,
    /// TLS to the Sentinels, when wanted.
    pub tls: Option<NativeTls>,
}

/// Nodes of a cluster.
#[napi(object)]
pub struct NativeCluster {
    /// Where they are.
    pub nodes: Vec<NativeAddress>,
}

/// Where addresses lead.
#[napi(object, object_to_js = false, use_nullable = true)]
pub struct NativeAddressMap {
    /// The same for the same map.
    pub id: u32,
    /// Where each leads.
    pub entries: Vec<NativeMapped>,
    /// Asks the application about others. It never throws.
    #[napi(ts_type = "((address: string) => Promise<NativeAddress | null>) | null")]
    pub ask: Option<AskAddress>,
}

/// Where an address leads.
#[napi(object)]
pub struct NativeMapped {
    /// `host:port`
    pub from: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// TLS options, named as Node's `tls.connect` names them.
#[expect(clippy::struct_excessive_bools, reason = "they are options")]
#[napi(object, use_nullable = true)]
pub struct NativeTls {
    /// PEM texts of the certificates to trust.
    pub ca: Vec<String>,
    /// Whether what the system trusts is trusted too.
    pub system: bool,
    /// Whether they are trusted without their issuers.
    pub partial: bool,
    /// PEM text of the client's certificate chain.
    pub cert: Option<String>,
    /// PEM text of the client's private key.
    pub key: Option<String>,
    /// The name that the server's certificate must bear.
    pub servername: Option<String>,
    /// Whether the server's certificate is checked.
    pub reject_unauthorized: bool,
    /// Whether TLS 1.2 may be spoken.
    pub tls12: bool,
    /// Whether TLS 1.3 may be spoken.
    pub tls13: bool,
    /// IANA's numbers of cipher suites.
    pub suites: Option<Vec<u16>>,
    /// IANA's numbers of groups.
    pub groups: Option<Vec<u16>>,
    /// The protocols to offer.
    pub alpn: Vec<String>,
}

/// A question to the application.
#[napi(object, object_to_js = false)]
pub struct NativePreparation {
    /// The same for the same question.
    pub id: u32,
    /// Asks it, with the host that is about to be connected to. It never throws.
    #[napi(ts_type = "(host: string) => Promise<NativePrepared>")]
    pub ask: Ask,
}

/// The answer.
#[napi(object, use_nullable = true)]
pub struct NativePrepared {
    /// Why there is none.
    pub error: Option<String>,
    /// ACL user.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// The host's addresses.
    pub addresses: Vec<String>,
}

impl From<NativeEndpoint> for Endpoint {
    fn from(endpoint: NativeEndpoint) -> Self {
        let NativeEndpoint { host, port, path, username, password, db, tls, name, library, .. } =
            endpoint;
        let preparation = endpoint.preparation.map(Preparation::from);
        let tls = tls.map(Tls::from);
        let sentinel = endpoint.sentinel.map(SentinelAt::from);
        let cluster =
            endpoint.cluster.map(|NativeCluster { nodes }| ClusterAt { nodes: addresses(nodes) });
        let address_map = endpoint.address_map.map(AddressMap::from);
        Self {
            host,
            port,
            path,
            username,
            password,
            db,
            tls,
            name,
            library,
            preparation,
            sentinel,
            cluster,
            address_map,
        }
    }
}

fn addresses(nodes: Vec<NativeAddress>) -> Vec<Address> {
    nodes.into_iter().map(Address::from).collect()
}

impl From<NativeAddress> for Address {
    fn from(NativeAddress { host, port }: NativeAddress) -> Self {
        Self { host, port }
    }
}

impl From<NativeSentinel> for SentinelAt {
    fn from(sentinel: NativeSentinel) -> Self {
        let NativeSentinel { nodes, name, username, password, tls } = sentinel;
        Self { nodes: addresses(nodes), name, username, password, tls: tls.map(Tls::from) }
    }
}

impl From<NativeAddressMap> for AddressMap {
    fn from(NativeAddressMap { id, entries, ask }: NativeAddressMap) -> Self {
        let entry = |NativeMapped { from, host, port }| (from, Address { host, port });
        let ask = ask.map(|ask| {
            let ask = Arc::new(ask);
            Arc::new(move |address| {
                let ask = Arc::clone(&ask);
                // Either fails only when the environment is shutting down.
                let answer = async move {
                    ask.call_async(address).await.ok()?.await.ok()?.map(Address::from)
                };
                Box::pin(answer) as Mapping
            }) as _
        });
        Self { id, entries: entries.into_iter().map(entry).collect(), ask }
    }
}

impl From<NativeTls> for Tls {
    fn from(tls: NativeTls) -> Self {
        let min = if tls.tls12 { Version::Tls12 } else { Version::Tls13 };
        let max = if tls.tls13 { Version::Tls13 } else { Version::Tls12 };
        let NativeTls { ca, partial, cert, key, servername, reject_unauthorized, .. } = tls;
        let NativeTls { system, suites, groups, alpn, .. } = tls;
        Self {
            ca,
            system,
            partial,
            cert,
            key,
            servername,
            reject_unauthorized,
            min,
            max,
            suites,
            groups,
            alpn,
        }
    }
}

impl From<NativePreparation> for Preparation {
    fn from(NativePreparation { id, ask }: NativePreparation) -> Self {
        let ask = Arc::new(ask);
        let ask = move |host| {
            let ask = Arc::clone(&ask);
            Box::pin(async move {
                // Either fails only when the environment is shutting down.
                let answer = ask.call_async(host).await.map_err(|error| error.to_string())?;
                answer.await.map_err(|error| error.to_string())?.read()
            }) as crate::connection::Preparing
        };
        Self { id, ask: Arc::new(ask) }
    }
}

impl NativePrepared {
    fn read(self) -> Result<Prepared, String> {
        let Self { error, username, password, addresses } = self;
        if let Some(error) = error {
            return Err(error);
        }
        let addresses = addresses.iter().map(|text| {
            text.parse::<IpAddr>().map_err(|_| "lookup has given what is no IP address".to_owned())
        });
        Ok(Prepared { username, password, addresses: addresses.collect::<Result<_, _>>()? })
    }
}
