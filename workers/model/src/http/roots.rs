//! TLS: whom to trust. The system's own roots, from the files where systems keep them, and nothing from the environment.
//!
//! Roots cost 2 MB once parsed, so they are read only when an https address is configured.

use crate::sentence;
use crate::trouble::Trouble;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Where systems keep their bundle: Debian and Ubuntu, Fedora, older Fedora, openSUSE, Alpine and macOS.
pub const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The TLS side of a client that trusts what the first usable bundle holds; without `secure`, one that trusts nobody and
/// costs nothing.
pub fn tls(secure: bool, bundles: &[&Path]) -> Result<ClientConfig, Trouble> {
    let roots = if secure { read(bundles)? } else { RootCertStore::empty() };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|fault| sentence::unusable(&format!("TLS cannot be set up: {fault}"), "use an http address"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read(bundles: &[&Path]) -> Result<RootCertStore, Trouble> {
    let mut roots = RootCertStore::empty();
    for bundle in bundles {
        let Ok(pem) = std::fs::read(bundle) else { continue };
        // A bundle may hold a certificate that rustls cannot use; it would then only trust one authority less.
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
        if !roots.is_empty() {
            return Ok(roots);
        }
    }
    let what = "no certificates of this system's authorities were found to check an https server with";
    Err(sentence::unusable(what, "install the package ca-certificates, or use an http address").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::Cause;

    #[test]
    fn a_system_without_roots_is_told_what_to_install() {
        let error = read(&[Path::new("/nonexistent/roots.pem")]).unwrap_err();
        let error = error.model_error().unwrap();
        assert_eq!(error.cause, Cause::Misconfigured);
        assert!(error.message.contains("ca-certificates"), "{}", error.message);
    }

    #[test]
    fn plain_http_needs_no_roots() {
        assert!(tls(false, &[]).is_ok());
    }
}
