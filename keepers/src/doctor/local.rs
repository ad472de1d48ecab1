//! What can be seen on this machine.

use std::net::TcpListener;

use ballast_client::keys::{self, KeyError};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::Report;
use crate::config::Config;

/// The key file.
pub(super) fn key(report: &mut Report, config: &Config) -> Option<Keypair> {
    match keys::read(&config.keypair) {
        Ok(key) => {
            let path = config.keypair.display();
            report.good("key", format!("{} from {path}, readable by its owner only", key.pubkey()));
            Some(key)
        }
        Err(error) => {
            let mend = match &error {
                KeyError::Read { .. } => {
                    "name the right file with --keypair; make a key with `solana-keygen new`".into()
                }
                KeyError::NotAFile(_) => "name a file with --keypair".into(),
                KeyError::NotPrivate { path, .. } => {
                    format!("chmod 600 {path}; if others may have read it, move its money to a new key")
                }
                KeyError::Malformed(..) => "it has to be a JSON array of 64 numbers, as Solana's tools write it".into(),
            };
            report.wrong("key", error.to_string(), mend);
            None
        }
    }
}

/// The address that metrics are served at.
pub(super) fn metrics_port(report: &mut Report, config: &Config) {
    match config.metrics_addr {
        None => report.warn("metrics", "nothing is served", "say --metrics-addr 127.0.0.1:9464, or nobody is alerted"),
        Some(address) => match TcpListener::bind(address) {
            Ok(_) if !address.ip().is_loopback() => report.warn(
                "metrics",
                format!("{address} is free, and reachable from elsewhere"),
                "it is without a password: serve it on 127.0.0.1, or keep a firewall before it",
            ),
            Ok(_) => report.good("metrics", format!("{address} is free")),
            Err(error) => report.wrong(
                "metrics",
                format!("{address}: {error}"),
                "another keeper runs, or the address is not this machine's: choose another --metrics-addr",
            ),
        },
    }
}
