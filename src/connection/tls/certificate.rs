//! What a certificate says, as far as webpki does not look at it or does not tell it.

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner};
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier, db};
use x509_cert::der::{Any, Decode, Encode, Tag, Tagged};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints,
    SubjectAltName, SubjectKeyIdentifier,
};

/// What a certificate says.
#[derive(Debug)]
pub(super) struct Certificate {
    /// The certificate itself.
    pub der: CertificateDer<'static>,
    /// X.509 version 1: without extensions.
    pub is_v1: bool,
    /// Its issuer is itself.
    pub is_self_issued: bool,
    /// From when to when it is valid, in s since 1970.
    pub valid: (u64, u64),
    /// Whether it is an authority's; nothing when it does not say so.
    pub is_authority: Option<bool>,
    /// How many intermediates may stand below an authority.
    pub path_len: Option<u8>,
    key_usage: Option<KeyUsage>,
    purposes: Option<Vec<ObjectIdentifier>>,
    /// It limits the names below it.
    pub has_name_constraints: bool,
    /// The issuer's name, as text.
    pub issuer: String,
    /// The DNS names among the alternative names.
    pub dns_names: Vec<String>,
    /// The addresses among the alternative names.
    pub addresses: Vec<std::net::IpAddr>,
    /// The common names of the subject.
    pub common_names: Vec<String>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// It is none, or an extension of it is malformed or there twice.
    pub fn read(der: &CertificateDer<'_>) -> Result<Self, x509_cert::der::Error> {
        let certificate = CertificateInner::<Raw>::from_der(der)?;
        let tbs = &certificate.tbs_certificate;
        let constraints = extension::<BasicConstraints>(tbs)?;
        let (dns_names, addresses) = alternative_names(extension(tbs)?);
        Ok(Self {
            der: der.clone().into_owned(),
            is_v1: tbs.version == x509_cert::Version::V1,
            is_self_issued: is_self_issued(tbs)?,
            valid: (
                tbs.validity.not_before.to_unix_duration().as_secs(),
                tbs.validity.not_after.to_unix_duration().as_secs(),
            ),
            is_authority: constraints.as_ref().map(|constraints| constraints.ca),
            path_len: constraints.and_then(|constraints| constraints.path_len_constraint),
            key_usage: extension(tbs)?,
            purposes: extension::<ExtendedKeyUsage>(tbs)?.map(|usage| usage.0),
            has_name_constraints: extension::<NameConstraints>(tbs)?.is_some(),
            issuer: tbs.issuer.to_string(),
            dns_names,
            addresses,
            common_names: common_names(tbs),
        })
    }

    /// Whether the time is one at which it is valid.
    pub fn is_valid_at(&self, now: UnixTime) -> bool {
        (self.valid.0..=self.valid.1).contains(&now.as_secs())
    }

    /// Whether it may sign certificates, as OpenSSL has it.
    pub fn may_issue(&self) -> bool {
        let may_sign = self.key_usage.as_ref().is_none_or(KeyUsage::key_cert_sign);
        let says_so = self.key_usage.is_some() || (self.is_v1 && self.is_self_issued);
        may_sign && self.serves_tls() && self.is_authority.unwrap_or(says_so)
    }

    /// Whether a server may be known by it.
    pub fn may_serve(&self) -> bool {
        let usage = self.key_usage.as_ref();
        let may_shake_hands = |usage: &KeyUsage| {
            usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
        };
        usage.is_none_or(may_shake_hands) && self.serves_tls()
    }

    fn serves_tls(&self) -> bool {
        let purposes = self.purposes.as_ref();
        purposes.is_none_or(|purposes| purposes.contains(&db::rfc5280::ID_KP_SERVER_AUTH))
    }

    /// All names that count for a host, for a message.
    pub fn names(&self, host: &ServerName<'_>) -> String {
        let is_name = matches!(host, ServerName::DnsName(_));
        let common = self.common_names.iter().filter(|_| is_name && self.dns_names.is_empty());
        let addresses = self.addresses.iter().map(ToString::to_string);
        let names: Vec<_> =
            self.dns_names.iter().cloned().chain(addresses).chain(common.cloned()).collect();
        match (names.is_empty(), is_name) {
            (false, _) => names.join(", "),
            (true, true) => "no name at all".to_owned(),
            (true, false) => "no address at all (subjectAltName)".to_owned(),
        }
    }
}

fn extension<'a, T: Decode<'a> + AssociatedOid>(
    tbs: &'a TbsCertificateInner<Raw>,
) -> Result<Option<T>, x509_cert::der::Error> {
    Ok(tbs.get::<T>()?.map(|(_, extension)| extension))
}

/// Issuer and subject have the same name, and the same key as far as it says so.
fn is_self_issued(tbs: &TbsCertificateInner<Raw>) -> Result<bool, x509_cert::der::Error> {
    let issuer_key = extension::<AuthorityKeyIdentifier>(tbs)?.and_then(|id| id.key_identifier);
    let own_key = extension::<SubjectKeyIdentifier>(tbs)?.map(|id| id.0);
    let same_key = issuer_key.is_none() || own_key.is_none() || issuer_key == own_key;
    Ok(same_key && tbs.issuer.to_der()? == tbs.subject.to_der()?)
}

fn alternative_names(names: Option<SubjectAltName>) -> (Vec<String>, Vec<std::net::IpAddr>) {
    let (mut dns, mut addresses) = (Vec::new(), Vec::new());
    for name in names.map(|names| names.0).unwrap_or_default() {
        match name {
            GeneralName::DnsName(name) => dns.push(name.to_string()),
            GeneralName::IpAddress(bytes) => addresses.extend(address(bytes.as_bytes())),
            _ => {}
        }
    }
    (dns, addresses)
}

fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(Into::into)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(Into::into))
        .ok()
}

fn common_names(tbs: &TbsCertificateInner<Raw>) -> Vec<String> {
    let attributes = tbs.subject.0.iter().flat_map(|names| names.0.iter());
    let common = attributes.filter(|attribute| attribute.oid == db::rfc4519::CN);
    common.filter_map(|attribute| text(&attribute.value)).collect()
}

fn text(value: &Any) -> Option<String> {
    let text = match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok()?.to_string(),
        Tag::PrintableString => value.decode_as::<PrintableStringRef<'_>>().ok()?.to_string(),
        Tag::TeletexString => value.decode_as::<TeletexStringRef<'_>>().ok()?.to_string(),
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok()?.to_string(),
        _ => return None,
    };
    Some(text)
}
