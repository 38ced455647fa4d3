//! The cryptography: ring's, and P-521 beside it.

use std::sync::{Arc, LazyLock};

use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, KeyProvider, WebPkiSupportedAlgorithms, ring};
use rustls::sign::SigningKey;
use rustls_pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm};

use super::super::endpoint::Tls;
use super::p521;

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// What certificates and handshakes may be signed with.
pub(super) static ALGORITHMS: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
    let ring = ring::default_provider().signature_verification_algorithms;
    let ours: [Algorithm; 3] = [&p521::SHA512, &p521::SHA384, &p521::SHA256];
    let mut mapping: Vec<(SignatureScheme, &'static [Algorithm])> = Vec::new();
    for (scheme, algorithms) in ring.mapping {
        // In TLS 1.2 the scheme says nothing about the curve; in 1.3 the first one alone counts.
        let own: Option<Algorithm> = match *scheme {
            SignatureScheme::ECDSA_NISTP384_SHA384 => Some(&p521::SHA384),
            SignatureScheme::ECDSA_NISTP256_SHA256 => Some(&p521::SHA256),
            _ => None,
        };
        mapping.push((*scheme, leak(algorithms.iter().copied().chain(own).collect())));
    }
    // The last choice: in TLS 1.2, Redis takes the first that fits any curve, and ring knows no other
    // curve with SHA-512.
    mapping.push((SignatureScheme::ECDSA_NISTP521_SHA512, leak(vec![&p521::SHA512])));
    let all = leak(ring.all.iter().copied().chain(ours).collect());
    WebPkiSupportedAlgorithms { all, mapping: leak(mapping) }
});

/// rustls wants static lists; these are made once.
fn leak<T>(list: Vec<T>) -> &'static [T] {
    Box::leak(list.into_boxed_slice())
}

/// What `options` allow.
pub(super) fn provider(options: &Tls) -> CryptoProvider {
    let CryptoProvider { cipher_suites, mut kx_groups, secure_random, .. } =
        ring::default_provider();
    kx_groups.push(&p521::Group);
    CryptoProvider {
        cipher_suites: chosen(cipher_suites, options.suites.as_deref(), |suite| {
            suite.suite().into()
        }),
        kx_groups: chosen(kx_groups, options.groups.as_deref(), |group| group.name().into()),
        signature_verification_algorithms: *ALGORITHMS,
        secure_random,
        key_provider: &Keys,
    }
}

/// Those of `known` whose numbers are wanted, in the order in which they are; all when none are named.
fn chosen<T: Copy>(known: Vec<T>, wanted: Option<&[u16]>, number: impl Fn(T) -> u16) -> Vec<T> {
    let Some(wanted) = wanted else { return known };
    let of = |id: &u16| known.iter().copied().find(|&one| number(one) == *id);
    wanted.iter().filter_map(of).collect()
}

#[derive(Debug)]
struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(
        &self,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        p521::signing_key(&key).map_or_else(|| ring::sign::any_supported_type(&key), Ok)
    }
}
