//! Settings: flags before environment before file, then what the process takes as a default.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

/// What was said, of which anything may be missing. [`crate::settings!`] declares such.
pub trait Settings: DeserializeOwned {
    /// These, completed by others.
    #[must_use]
    fn or(self, others: Self) -> Self;
}

/// What was said by flags and environment, completed by a TOML file.
///
/// # Errors
/// When the file cannot be read, or has something that is no setting.
pub fn complete<S: Settings>(said: S, file: Option<&Path>) -> Result<S> {
    let Some(path) = file else { return Ok(said) };
    let named = || format!("configuration file {}", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    Ok(said.or(toml::from_str(&text).with_context(named)?))
}

/// Declares a struct `Settings` together with how two of them are merged, so that no field can be forgotten. Each field is one
/// for `clap` and for `serde`; words that are no field are refused. The crate that says it has both.
#[macro_export]
macro_rules! settings {
    ($($(#[$meta:meta])* $field:ident: $type:ty,)*) => {
        /// What was said; `None` where nothing was.
        #[derive(clap::Args, Clone, Debug, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $($(#[$meta])* pub $field: Option<$type>,)*
        }

        impl $crate::settings::Settings for Settings {
            fn or(self, others: Settings) -> Settings {
                Settings { $($field: self.$field.or(others.$field),)* }
            }
        }
    };
}

/// The WebSocket endpoint that belongs to an RPC endpoint by convention: the same host, on the next port where a port is
/// named.
///
/// # Errors
/// When the endpoint is none, or has no next port.
pub fn ws_url_of(rpc_url: &str) -> Result<String> {
    let (scheme, rest) = match rpc_url.split_once("://") {
        Some(("http", rest)) => ("ws", rest),
        Some(("https", rest)) => ("wss", rest),
        _ => bail!("--rpc-url begins with neither http:// nor https://"),
    };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = match host.rsplit_once(':') {
        Some((name, port)) => {
            let port: u16 = port.parse().context("--rpc-url: port")?;
            format!("{name}:{}", port.checked_add(1).context("--rpc-url: no port is above it; say --ws-url")?)
        }
        None => host.to_string(),
    };
    Ok(format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    mod said {
        crate::settings! {
            /// How many
            #[arg(long)]
            many: u8,
            /// Of what
            #[arg(long)]
            what: String,
        }
    }

    #[test]
    fn what_was_said_comes_before_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("some.toml");
        std::fs::write(&path, "many = 3\nwhat = \"lots\"\n").unwrap();
        let said = said::Settings { many: Some(5), ..said::Settings::default() };
        let all = complete(said.clone(), Some(&path)).unwrap();
        assert_eq!((all.many, all.what.as_deref()), (Some(5), Some("lots")));
        assert_eq!(complete(said.clone(), None).unwrap().what, None);
        std::fs::write(&path, "mny = 3\n").unwrap();
        let error = format!("{:#}", complete(said, Some(&path)).unwrap_err());
        assert!(error.contains("mny") && error.contains("some.toml"), "{error}");
    }

    #[test]
    fn the_websocket_endpoint_follows_from_the_rpc_endpoint() {
        assert_eq!(ws_url_of("http://127.0.0.1:8899").unwrap(), "ws://127.0.0.1:8900");
        assert_eq!(ws_url_of("https://node.example/?key=a:b").unwrap(), "wss://node.example/?key=a:b");
        assert!(ws_url_of("node:8899").is_err() && ws_url_of("http://node:65535").is_err());
    }
}
