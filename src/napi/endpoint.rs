//! Where a `NativeBackplane` connects to, as it crosses from JavaScript; see `lib/endpoint`.

use std::net::IpAddr;
use std::sync::Arc;

use napi::Status;
use napi::bindgen_prelude::Promise;
use napi::threadsafe_function::ThreadsafeFunction;
use napi_derive::napi;

use crate::connection::{Endpoint, Preparation, Prepared, Tls, Version};

/// Asks the application. Weak: it keeps nothing alive.
type Ask = ThreadsafeFunction<(), Promise<NativePrepared>, (), Status, false, true>;

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
}

/// TLS options, named as Node's `tls.connect` names them.
#[expect(clippy::struct_excessive_bools, reason = "they are options")]
#[napi(object, use_nullable = true)]
pub struct NativeTls {
    /// PEM texts of the certificates to trust.
    pub ca: Vec<String>,
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
    /// Asks it. It never throws.
    #[napi(ts_type = "() => Promise<NativePrepared>")]
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
        Self { host, port, path, username, password, db, tls, name, library, preparation }
    }
}

impl From<NativeTls> for Tls {
    fn from(tls: NativeTls) -> Self {
        let min = if tls.tls12 { Version::Tls12 } else { Version::Tls13 };
        let max = if tls.tls13 { Version::Tls13 } else { Version::Tls12 };
        let NativeTls { ca, partial, cert, key, servername, reject_unauthorized, .. } = tls;
        let NativeTls { suites, groups, alpn, .. } = tls;
        Self {
            ca,
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
        let ask = move || {
            let ask = Arc::clone(&ask);
            Box::pin(async move {
                // Either fails only when the environment is shutting down.
                let answer = ask.call_async(()).await.map_err(|error| error.to_string())?;
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
