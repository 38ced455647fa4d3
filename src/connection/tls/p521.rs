//! ECDSA and Diffie-Hellman on the curve P-521, which Node knows and ring does not.

use std::sync::Arc;

use p521::PublicKey;
use p521::ecdh::EphemeralSecret;
use p521::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p521::ecdsa::{Signature, VerifyingKey};
use p521::elliptic_curve::rand_core::OsRng;
use p521::pkcs8::DecodePrivateKey;
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, NamedGroup, PeerMisbehaved, SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Checks signatures made with SHA-512, as most are.
pub(super) static SHA512: Verification =
    Verification { hash: |message| Sha512::digest(message).to_vec(), id: alg_id::ECDSA_SHA512 };
/// Checks signatures made with SHA-384.
pub(super) static SHA384: Verification =
    Verification { hash: |message| Sha384::digest(message).to_vec(), id: alg_id::ECDSA_SHA384 };
/// Checks signatures made with SHA-256.
pub(super) static SHA256: Verification =
    Verification { hash: |message| Sha256::digest(message).to_vec(), id: alg_id::ECDSA_SHA256 };

/// Checks signatures made with one hash.
#[derive(Debug)]
pub(super) struct Verification {
    hash: fn(&[u8]) -> Vec<u8>,
    id: AlgorithmIdentifier,
}

impl SignatureVerificationAlgorithm for Verification {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify_prehash(&whole(&(self.hash)(message)), &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.id
    }
}

/// The same number, as long as a number of the curve is: the crate takes no hash that is shorter than
/// half of that.
fn whole(hash: &[u8]) -> [u8; 66] {
    let mut number = [0; 66];
    for (to, from) in number.iter_mut().rev().zip(hash.iter().rev()) {
        *to = *from;
    }
    number
}

/// A client's key.
struct Key(p521::ecdsa::SigningKey);

/// Reads a client's key.
pub(super) fn signing_key(der: &PrivateKeyDer<'_>) -> Option<Arc<dyn SigningKey>> {
    let secret = match der {
        PrivateKeyDer::Pkcs8(key) => p521::SecretKey::from_pkcs8_der(key.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Sec1(key) => p521::SecretKey::from_sec1_der(key.secret_sec1_der()).ok(),
        _ => None,
    }?;
    let key = p521::ecdsa::SigningKey::from_bytes(&secret.to_bytes()).ok()?;
    Some(Arc::new(Key(key)))
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let known = offered.contains(&SignatureScheme::ECDSA_NISTP521_SHA512);
        known.then(|| Box::new(Self(self.0.clone())) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: Signature = self
            .0
            .sign_prehash(&Sha512::digest(message))
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

/// Without the key.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// The group for the key exchange. In TLS 1.2 a server with a key on this curve wants it offered.
#[derive(Debug)]
pub(super) struct Group;

/// A key exchange that has begun.
struct Exchange {
    secret: EphemeralSecret,
    public: Box<[u8]>,
}

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = EphemeralSecret::random(&mut OsRng);
        let public = secret.public_key().to_sec1_bytes();
        Ok(Box::new(Exchange { secret, public }))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        // Not compressed, as TLS wants it; it is checked to be a point of the curve.
        let peer = Some(peer).filter(|peer| peer.first() == Some(&4));
        let peer = peer.and_then(|peer| PublicKey::from_sec1_bytes(peer).ok());
        let peer = peer.ok_or(PeerMisbehaved::InvalidKeyShare)?;
        let secret = self.secret.diffie_hellman(&peer);
        let bytes: &[u8] = secret.raw_secret_bytes().as_ref();
        Ok(bytes.into())
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}
