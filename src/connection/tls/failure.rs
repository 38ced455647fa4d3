//! What goes wrong with TLS, in sentences.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
};
use rustls_pki_types::ServerName;

use super::certificate::Certificate;

/// An error in a sentence, with the one below it.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    cause: io::Error,
}

impl Failure {
    /// Says `error` in a sentence.
    pub fn saying(sentence: impl Into<String>, error: io::Error) -> io::Error {
        let (kind, sentence) = (error.kind(), sentence.into());
        io::Error::new(kind, Self { sentence, cause: error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// Why a certificate is not trusted.
#[derive(Debug)]
pub(super) struct Untrusted {
    sentence: String,
    cause: String,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for Untrusted {}

impl From<Untrusted> for Error {
    fn from(untrusted: Untrusted) -> Self {
        CertificateError::Other(OtherError(Arc::new(untrusted))).into()
    }
}

impl Untrusted {
    fn new(sentence: impl Into<String>, cause: impl fmt::Debug) -> Self {
        Self { sentence: sentence.into(), cause: format!("{cause:?}") }
    }

    pub(super) fn v1() -> Self {
        let sentence = "the server's certificate is one of X.509 version 1, which cannot say whom it is for: \
                        issue one of version 3, with subjectAltName";
        Self::new(sentence, webpki::Error::UnsupportedCertVersion)
    }

    pub(super) fn unreadable(error: &dyn fmt::Display) -> Self {
        let sentence = "the server's certificate, or one of its issuers', cannot be read";
        Self { sentence: sentence.to_owned(), cause: error.to_string() }
    }

    pub(super) fn purpose() -> Self {
        let sentence = "the server's certificate is not for servers (keyUsage, extendedKeyUsage)";
        Self::new(sentence, webpki::Error::EndEntityUsedAsCa)
    }

    /// It is valid from then to then, and not now.
    pub(super) fn time((from, to): (u64, u64), now: u64) -> Self {
        let sentence = if now < from {
            format!("the server's certificate, or an issuer's, is not valid before {}", Date(from))
        } else {
            format!("the server's certificate, or an issuer's, has expired on {}", Date(to))
        };
        let sentence = format!("{sentence}, and here it is {}", Date(now));
        Self { sentence, cause: "certificate not valid at this time".to_owned() }
    }

    /// The chain ends nowhere; `expired`: in an authority that is known and has expired.
    pub(super) fn issuer(leaf: &Certificate, expired: bool) -> Self {
        let issuer = if leaf.issuer.is_empty() { "an issuer without a name" } else { &leaf.issuer };
        let sentence = if expired {
            format!("the authority that issued the server's certificate ({issuer}) has expired")
        } else if leaf.is_self_issued {
            "the server's certificate is self-signed and not among those that are trusted: pass it as ca"
                .to_owned()
        } else {
            format!(
                "the server's certificate was issued by {issuer}, and no authority that is trusted has \
                 signed that: pass the authority's certificate as ca"
            )
        };
        Self::new(sentence, webpki::Error::UnknownIssuer)
    }

    pub(super) fn name(leaf: &Certificate, host: &ServerName<'_>, error: &webpki::Error) -> Self {
        let (names, host) = (leaf.names(host), host.to_str());
        let sentence = format!(
            "the server's certificate is for {names} and not for {host}: connect by a name that it \
             bears, or pass one as servername"
        );
        Self::new(sentence, error)
    }

    pub(super) fn chain(error: &webpki::Error) -> Self {
        use webpki::Error as E;
        let sentence = match error {
            E::CertExpired { time, not_after } => {
                return Self::time((0, not_after.as_secs()), time.as_secs());
            }
            E::CertNotValidYet { time, not_before } => {
                return Self::time((not_before.as_secs(), u64::MAX), time.as_secs());
            }
            E::UnsupportedCertVersion => return Self::v1(),
            E::CaUsedAsEndEntity => {
                "the server's certificate is an authority's (CA:TRUE): pass it as ca itself when it is \
                 self-signed, else issue one with CA:FALSE"
            }
            E::EndEntityUsedAsCa => {
                "an issuer of the server's certificate may not issue any (CA:FALSE, or keyUsage)"
            }
            E::InvalidSignatureForPublicKey => {
                "the server's certificate bears the name of an authority that is trusted, and its \
                 signature does not fit that (or is by an RSA key of fewer than 2048 bits): pass the \
                 certificate of the authority that has signed it as ca"
            }
            E::UnsupportedSignatureAlgorithmContext(_)
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                "the server's certificate, or an issuer's, is signed in a way that is not supported: by \
                 RSA with at least 2048 bits, ECDSA or Ed25519, with SHA-256 or better, it can be"
            }
            E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => {
                "the server's certificate, or an issuer's, is not for servers (extendedKeyUsage)"
            }
            E::UnsupportedCriticalExtension => {
                "the server's certificate, or an issuer's, has a critical extension that is not known"
            }
            E::NameConstraintViolation | E::PathLenConstraintViolated => {
                "an issuer of the server's certificate may not issue one like it (nameConstraints, pathlen)"
            }
            _ => "the server's certificate cannot be verified",
        };
        Self::new(sentence, error)
    }
}

/// Says in a sentence what TLS has wrong; any other error stays as it is.
pub fn explain(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner.map(sentence) {
        Some(sentence) => Failure::saying(sentence, error),
        None => error,
    }
}

/// The same, with the error below it, in one text.
pub fn words(error: io::Error) -> String {
    let error = explain(error);
    match std::error::Error::source(&error) {
        Some(cause) => format!("{error} ({cause})"),
        None => error.to_string(),
    }
}

/// Whether what came back is no TLS, or nothing.
pub fn is_not_tls(error: &io::Error) -> bool {
    tls_error(error).is_none_or(|error| matches!(error, Error::InvalidMessage(_)))
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    let inner = error.get_ref()?;
    match inner.downcast_ref::<Failure>() {
        Some(failure) => tls_error(&failure.cause),
        None => inner.downcast_ref(),
    }
}

fn sentence(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            let untrusted = other.downcast_ref::<Untrusted>();
            untrusted.map_or_else(|| other.to_string(), |untrusted| untrusted.sentence.clone())
        }
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "the server has not proved that it has its certificate's key".to_owned()
        }
        Error::InvalidCertificate(_) => {
            "the key of the server's certificate cannot be used with TLS here: make it RSA, ECDSA or \
             Ed25519"
                .to_owned()
        }
        Error::AlertReceived(alert) => alert_sentence(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers there does not speak TLS".to_owned()
        }
        Error::InvalidMessage(_) => "what answers there does not speak TLS, or not well".to_owned(),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            "the server speaks only versions of TLS below 1.2".to_owned()
        }
        Error::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig) => {
            "the server speaks a version of TLS that minVersion, maxVersion or ciphers exclude"
                .to_owned()
        }
        Error::PeerIncompatible(_) => {
            "the server and this client have no way of TLS in common (versions, ciphers, curves)"
                .to_owned()
        }
        Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. } => {
            "the server does not keep to the rules of TLS".to_owned()
        }
        Error::DecryptError => "what arrived cannot be decrypted".to_owned(),
        error => format!("TLS failed: {error}"),
    }
}

fn alert_sentence(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let sentence = match alert {
        A::CertificateRequired => "the server wants a client's certificate: pass cert and key",
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied
        | A::DecryptError => "the server has refused the client's certificate (cert)",
        A::HandshakeFailure | A::InsufficientSecurity => {
            "the server has refused TLS: it may want a client's certificate (cert and key), or other \
             ciphers or versions"
        }
        A::ProtocolVersion => "the server has refused this version of TLS (minVersion, maxVersion)",
        A::UnrecognisedName => "the server does not know that name (servername)",
        A::NoApplicationProtocol => "the server speaks none of ALPNProtocols",
        _ => "the server has ended TLS",
    };
    sentence.to_owned()
}

/// A time in s since 1970, as a date (RFC 3339).
struct Date(u64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = std::time::Duration::from_secs(self.0);
        match x509_cert::der::DateTime::from_unix_duration(since) {
            Ok(date) => write!(f, "{date}"),
            Err(_) => f.write_str("a time far away"),
        }
    }
}
