//! TLS as Node does it, on rustls.

mod certificate;
mod failure;
mod names;
mod p521;
mod provider;
mod verifier;

pub(super) use failure::{Failure, explain, is_not_tls, words};

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use self::certificate::Certificate;
use self::verifier::{Trust, Verifier};
use super::endpoint::{Tls, Version};

/// Builds the configuration of an endpoint's connections. PEM that cannot be read is an
/// `InvalidInput`.
pub(super) fn client_config(options: &Tls) -> io::Result<ClientConfig> {
    let verifier = if options.reject_unauthorized {
        Verifier::Trusting(Trust::new(authorities(options)?, options.partial))
    } else {
        Verifier::Any
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider::provider(options)))
        .with_protocol_versions(&versions(options.min, options.max))
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => {
            let key =
                PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|e| unreadable("key", &e))?;
            builder
                .with_client_auth_cert(certificates("cert", cert)?, key)
                .map_err(|e| unreadable("cert", &e))?
        }
        (None, None) => builder.with_no_client_auth(),
        _ => {
            let error = "tls.cert and tls.key go together";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
    };
    // A certificate is looked at anew each time.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = options.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

/// The configuration that finds out whether a server speaks TLS at all, and no more.
pub(super) fn probing_config() -> io::Result<ClientConfig> {
    client_config(&Tls { reject_unauthorized: false, ..Tls::default() })
}

fn versions(min: Version, max: Version) -> Vec<&'static SupportedProtocolVersion> {
    let known = [(Version::Tls13, &TLS13), (Version::Tls12, &TLS12)];
    let wanted = known.into_iter().filter(|(version, _)| (min..=max).contains(version));
    wanted.map(|(_, version)| version).collect()
}

/// What the system trusts. Read once, as Node does it: it takes a while. Where some cannot
/// be read, the others count.
static SYSTEM: LazyLock<Vec<CertificateDer<'static>>> =
    LazyLock::new(|| rustls_native_certs::load_native_certs().certs);

/// One that cannot be read is left out: among the system's there may be such.
fn authorities(options: &Tls) -> io::Result<Vec<Certificate>> {
    let mut trusted = Vec::new();
    for pem in &options.ca {
        trusted.extend(certificates("ca", pem)?);
    }
    if options.system {
        trusted.extend(SYSTEM.iter().cloned());
    }
    // Node's and the system's are mostly the same.
    let mut seen = HashSet::new();
    trusted.retain(|der| seen.insert(der.clone()));
    Ok(trusted.iter().filter_map(|der| Certificate::read(der).ok()).collect())
}

fn certificates(option: &str, pem: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| unreadable(option, &e))
}

fn unreadable(option: &str, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("tls.{option} cannot be used: {error}"))
}
