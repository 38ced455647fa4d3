//! Whether a server's certificate is to be trusted: never one that Node would refuse.
//!
//! webpki builds and checks the chain. What it does differently from OpenSSL, which Node has:
//!
//! - an authority in `ca` has to be one: valid now, self-signed (unless `allowPartialTrustChain`),
//!   allowed to sign certificates, with no more intermediates below it than it says;
//! - the key usage of each certificate counts;
//! - a certificate that is itself in `ca` is trusted as the server's own, even as an authority's;
//! - without DNS names among its alternative names, its common name counts.

use std::collections::HashSet;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::certificate::Certificate;
use super::failure::Untrusted;
use super::names::is_common_name_of;
use super::provider::ALGORITHMS;

/// Which certificates are taken.
#[derive(Debug)]
pub(super) enum Verifier {
    /// Those that are to be trusted.
    Trusting(Trust),
    /// Any, as Node does for `rejectUnauthorized: false`; the handshake's signature is checked, which
    /// proves that the server has the key.
    Any,
}

/// What is trusted.
#[derive(Debug)]
pub(super) struct Trust {
    // Everything in `ca`.
    known: Vec<Certificate>,
    // `allowPartialTrustChain`: what is in `ca` is trusted without its issuer.
    partial: bool,
}

/// An authority that signs, and what it says.
struct Authority<'a> {
    anchor: TrustAnchor<'a>,
    certificate: &'a Certificate,
}

impl<'a> Authority<'a> {
    fn of(certificate: &'a Certificate) -> Option<Self> {
        let anchor = webpki::anchor_from_trusted_cert(&certificate.der).ok()?;
        Some(Self { anchor, certificate })
    }
}

impl Trust {
    /// Trusts `known`.
    pub const fn new(known: Vec<Certificate>, partial: bool) -> Self {
        Self { known, partial }
    }

    fn check(
        &self,
        leaf: &Certificate,
        sent: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Untrusted> {
        if leaf.is_v1 {
            return Err(Untrusted::v1());
        }
        if !leaf.is_valid_at(now) {
            return Err(Untrusted::time(leaf.valid, now.as_secs()));
        }
        let is_constrained = if self.is_known(leaf) {
            leaf.has_name_constraints
        } else {
            self.check_chain(leaf, sent, now)?
        };
        if !leaf.may_serve() {
            return Err(Untrusted::purpose());
        }
        check_name(leaf, host, is_constrained)
    }

    /// Whether it is in `ca`, and need not be signed by another one that is.
    fn is_known(&self, leaf: &Certificate) -> bool {
        let is_it = |known: &&Certificate| known.der == leaf.der;
        self.known.iter().find(is_it).is_some_and(|known| self.stands_alone(known))
    }

    const fn stands_alone(&self, certificate: &Certificate) -> bool {
        certificate.is_self_issued || self.partial
    }

    /// Returns whether an issuer limits the names.
    fn check_chain(
        &self,
        leaf: &Certificate,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<bool, Untrusted> {
        let authorities = self.authorities(now);
        let anchors: Vec<_> = authorities.iter().map(|one| one.anchor.clone()).collect();
        // OpenSSL looks for issuers in `ca` as well.
        let others = self.known.iter().filter(|known| !self.stands_alone(known));
        let sent: Vec<_> = sent.iter().chain(others.map(|known| &known.der)).cloned().collect();
        let failed = |error: webpki::Error| self.untrusted(leaf, &error, now);
        let entity = EndEntityCert::try_from(&leaf.der).map_err(failed)?;
        let check_path = |path: &VerifiedPath<'_>| check_path(path, &authorities);
        let path = entity
            .verify_for_usage(
                ALGORITHMS.all,
                &anchors,
                &sent,
                now,
                KeyUsage::server_auth(),
                None,
                Some(&check_path),
            )
            .map_err(failed)?;
        Ok(path.anchor().name_constraints.is_some() || intermediates(&path)?.any_constraints)
    }

    fn authorities(&self, now: UnixTime) -> Vec<Authority<'_>> {
        let can_be = |known: &&Certificate| {
            self.stands_alone(known) && known.may_issue() && known.is_valid_at(now)
        };
        self.known.iter().filter(can_be).filter_map(Authority::of).collect()
    }

    fn untrusted(&self, leaf: &Certificate, error: &webpki::Error, now: UnixTime) -> Untrusted {
        if !matches!(error, webpki::Error::UnknownIssuer) {
            return Untrusted::chain(error);
        }
        let issuers: HashSet<_> = self
            .known
            .iter()
            .filter(|known| self.stands_alone(known) && !known.is_valid_at(now))
            .map(|known| known.issuer.as_str())
            .collect();
        Untrusted::issuer(leaf, issuers.contains(leaf.issuer.as_str()))
    }
}

/// What webpki does not check of a chain that it has found.
fn check_path(path: &VerifiedPath<'_>, authorities: &[Authority<'_>]) -> Result<(), webpki::Error> {
    let below = intermediates(path).map_err(|_| webpki::Error::BadDer)?;
    if !below.may_issue {
        return Err(webpki::Error::EndEntityUsedAsCa);
    }
    let anchor = path.anchor();
    // The same name and key may be in `ca` twice.
    let reaches = |authority: &Authority<'_>| {
        let longest = authority.certificate.path_len.map_or(usize::MAX, usize::from);
        authority.anchor == *anchor && below.count <= longest
    };
    if authorities.iter().any(reaches) {
        Ok(())
    } else {
        Err(webpki::Error::PathLenConstraintViolated)
    }
}

struct Intermediates {
    count: usize,
    may_issue: bool,
    any_constraints: bool,
}

fn intermediates(path: &VerifiedPath<'_>) -> Result<Intermediates, Untrusted> {
    let read = path.intermediate_certificates().map(|one| Certificate::read(&one.der()));
    let read =
        read.collect::<Result<Vec<_>, _>>().map_err(|error| Untrusted::unreadable(&error))?;
    Ok(Intermediates {
        count: read.len(),
        may_issue: read.iter().all(Certificate::may_issue),
        any_constraints: read.iter().any(|one| one.has_name_constraints),
    })
}

fn check_name(
    leaf: &Certificate,
    host: &ServerName<'_>,
    is_constrained: bool,
) -> Result<(), Untrusted> {
    // Also what is trusted for itself may have nothing critical that is not known.
    let entity = EndEntityCert::try_from(&leaf.der).map_err(|error| Untrusted::chain(&error))?;
    let Err(error) = entity.verify_is_valid_for_subject_name(host) else { return Ok(()) };
    if let ServerName::DnsName(host) = host
        && leaf.dns_names.is_empty()
        && !is_constrained
        && leaf.common_names.iter().any(|name| is_common_name_of(name, host.as_ref()))
    {
        return Ok(());
    }
    Err(Untrusted::name(leaf, host, &error))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self {
            Self::Trusting(trust) => {
                let leaf =
                    Certificate::read(end_entity).map_err(|error| Untrusted::unreadable(&error))?;
                trust.check(&leaf, intermediates, server_name, now)?;
            }
            // The signature could not be checked by it.
            Self::Any => {
                if EndEntityCert::try_from(end_entity)
                    .is_err_and(|error| error == webpki::Error::UnsupportedCertVersion)
                {
                    return Err(Untrusted::v1().into());
                }
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &ALGORITHMS)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ALGORITHMS.supported_schemes()
    }
}
