//! Which servers a connection to PostgreSQL trusts: libpq's `sslmode` and `sslrootcert`, by way of `rustls`.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What of the server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    /// Nothing: what is sent cannot be overheard, but the server may be anybody.
    Nothing,
    /// That one of the authorities has signed it.
    Authority,
    /// That, and that it is for the host that was asked for.
    AuthorityAndName,
}

/// Whether TLS is spoken, and how.
///
/// # Errors
/// When the mode is not known, or the certificates cannot be read.
pub(super) fn choose(mode: Option<&str>, root: Option<&str>) -> Result<(SslMode, MakeRustlsConnect), String> {
    // As for libpq: who names an authority wants it checked, and who trusts all the system's wants the name checked, too.
    let (mode, checked) = match (mode, root) {
        (None | Some("verify-full"), Some("system")) => (SslMode::Require, Checked::AuthorityAndName),
        (Some(mode), Some("system")) => {
            return Err(format!("sslrootcert=system is for sslmode=verify-full, not {mode}"));
        }
        (Some("disable"), _) => (SslMode::Disable, Checked::Nothing),
        (None | Some("allow" | "prefer"), None) => (SslMode::Prefer, Checked::Nothing),
        (None | Some("allow" | "prefer"), Some(_)) => (SslMode::Prefer, Checked::Authority),
        (Some("require"), None) => (SslMode::Require, Checked::Nothing),
        (Some("require"), Some(_)) | (Some("verify-ca"), _) => (SslMode::Require, Checked::Authority),
        (Some("verify-full"), _) => (SslMode::Require, Checked::AuthorityAndName),
        (Some(mode), _) => {
            return Err(format!("sslmode={mode}: expected disable, prefer, require, verify-ca or verify-full"));
        }
    };
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let unnamed = |roots| Arc::new(Unnamed { roots, provider });
    let config = match checked {
        Checked::Nothing => config.dangerous().with_custom_certificate_verifier(unnamed(None)),
        Checked::Authority => config.dangerous().with_custom_certificate_verifier(unnamed(Some(roots(root)?))),
        Checked::AuthorityAndName => config.with_root_certificates(roots(root)?),
    };
    Ok((mode, MakeRustlsConnect::new(config.with_no_client_auth())))
}

/// The authorities of a file, or of the system.
fn roots(root: Option<&str>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let Some(path) = root.filter(|path| *path != "system") else {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        return match (store.is_empty(), found.errors.first()) {
            (false, _) => Ok(store),
            (true, Some(error)) => Err(format!("the system's root certificates cannot be read: {error}")),
            (true, None) => Err("the system has no root certificates: name some with sslrootcert=PATH".to_string()),
        };
    };
    let unreadable = |error: &dyn std::fmt::Display| format!("sslrootcert={path}: {error}");
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        store.add(certificate).map_err(|error| unreadable(&error))?;
    }
    match store.is_empty() {
        true => Err(unreadable(&"there is no certificate in it")),
        false => Ok(store),
    }
}

/// Takes any server whose certificate one of the authorities has signed, whatever its name; without authorities, any server.
#[derive(Debug)]
struct Unnamed {
    roots: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Unnamed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_kept_is_not_promised() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        let empty = empty.to_str();
        for (mode, root, said) in [
            (Some("secure"), None, "expected disable"),
            (Some("require"), Some("system"), "verify-full"),
            (Some("verify-full"), Some("/nowhere.pem"), "/nowhere.pem"),
            (Some("require"), empty, "no certificate"),
        ] {
            let error = choose(mode, root).err().unwrap();
            assert!(error.contains(said), "{error}");
        }
        assert_eq!(choose(None, None).unwrap().0, SslMode::Prefer);
        assert_eq!(choose(Some("disable"), None).unwrap().0, SslMode::Disable);
    }
}
