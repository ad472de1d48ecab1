//! What can be seen on this machine.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use ballast_client::keys::{self, KeyError};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::Report;
use crate::config::Config;

/// How long whoever is at an address may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Most bytes that are read of an answer.
const LONGEST_ANSWER: u64 = 1 << 20;
/// What the names of a keeper's metrics begin with.
const KEEPERS: &str = "ballast_keeper_";
/// The metric that says whose keeper it is.
const INFO: &str = "ballast_keeper_info{";

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

/// The address that metrics are served at: free, or taken by a running keeper, beside which the doctor may be asked any time.
pub(super) async fn metrics_port(report: &mut Report, config: &Config, exchange: Option<&Pubkey>) {
    let Some(address) = config.metrics_addr else {
        return report.warn("metrics", "nothing is served", "say --metrics-addr 127.0.0.1:9464, or nobody is alerted");
    };
    match TcpListener::bind(address) {
        Ok(_) if !address.ip().is_loopback() => report.warn(
            "metrics",
            format!("{address} is free, and reachable from elsewhere"),
            "it is without a password: serve it on 127.0.0.1, or keep a firewall before it",
        ),
        Ok(_) => report.good("metrics", format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => taken(report, address, exchange).await,
        Err(error) => report.wrong(
            "metrics",
            format!("{address}: {error}"),
            "the address is not this machine's, or not allowed: choose another --metrics-addr",
        ),
    }
}

/// Who is at an address that is in use.
async fn taken(report: &mut Report, address: SocketAddr, exchange: Option<&Pubkey>) {
    let other = "choose another --metrics-addr";
    let served = ask(address, "/metrics").await.filter(|(_, text)| text.contains(KEEPERS));
    let Some((_, metrics)) = served else {
        return report.wrong("metrics", format!("{address} is in use, and not by a keeper"), other);
    };
    let of = label(&metrics, "exchange");
    if let (Some(of), Some(wanted)) = (of, exchange)
        && of != wanted.to_string()
    {
        return report.wrong("metrics", format!("{address} is in use by a keeper of another exchange, {of}"), other);
    }
    let who = of.map_or("a keeper".to_owned(), |of| format!("a keeper of the exchange {of}"));
    match ask(address, "/health").await {
        Some((200, _)) => report.good("metrics", format!("{who} runs at {address}, and is well")),
        answer => {
            let says = answer.map_or("nothing".to_owned(), |(_, complaints)| complaints.trim().replace('\n', "; "));
            report.warn("metrics", format!("{who} runs at {address}, and says of itself: {says}"), "see its log");
        }
    }
}

/// The value of a label in the keeper's own line of the metrics.
fn label<'a>(metrics: &'a str, name: &str) -> Option<&'a str> {
    let line = metrics.lines().find(|line| line.starts_with(INFO))?;
    line.split_once(&format!("{name}=\""))?.1.split('"').next()
}

/// Status and body of an answer, if there is one.
async fn ask(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.take(LONGEST_ANSWER).read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    };
    timeout(ANSWER_WITHIN, asked).await.ok()?
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        config::Role,
        doctor::Verdict,
        http::{self, Health},
        metrics::Metrics,
        monitor::Latest,
        settings::Settings,
    };

    fn free() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    async fn verdict(address: SocketAddr, exchange: Option<&Pubkey>) -> (Verdict, String) {
        let said = Settings {
            roles: Some(vec![Role::Settler]),
            keypair: Some("key.json".into()),
            metrics_addr: Some(address),
            ..Settings::default()
        };
        let mut report = Report::default();
        metrics_port(&mut report, &Config::new(said).unwrap(), exchange).await;
        let finding = report.findings.pop().unwrap();
        (finding.verdict, finding.says)
    }

    #[tokio::test]
    async fn a_port_that_a_keeper_of_this_exchange_holds_is_not_wrong() {
        let (address, exchange) = (free(), Pubkey::new_from_array([7; 32]));
        assert_eq!(verdict(address, Some(&exchange)).await.0, Verdict::Good, "it is free");
        let health = Arc::new(Health::new(Instant::now(), ANSWER_WITHIN));
        let metrics = Arc::new(Metrics::new().unwrap());
        let (cancel, risk) = (CancellationToken::new(), Latest::default());
        let server = http::serve(address, metrics.clone(), health.clone(), risk, cancel.clone()).await.unwrap();
        let server = tokio::spawn(server);

        let (starting, says) = verdict(address, Some(&exchange)).await;
        assert_eq!(starting, Verdict::Warning, "{says}");
        assert!(says.contains("the subscriptions are not in place"), "{says}");
        metrics.introduce(&exchange, &Pubkey::default());
        health.connected.store(true, std::sync::atomic::Ordering::Relaxed);
        let (well, says) = verdict(address, Some(&exchange)).await;
        assert!(well == Verdict::Good && says.contains(&exchange.to_string()) && says.contains("is well"), "{says}");
        assert_eq!(verdict(address, None).await.0, Verdict::Good);
        let (other, says) = verdict(address, Some(&Pubkey::default())).await;
        assert!(other == Verdict::Wrong && says.contains("another exchange"), "{says}");
        cancel.cancel();
        server.await.unwrap();
    }

    #[tokio::test]
    async fn a_port_that_something_else_holds_is_wrong() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                use std::io::Write;
                stream.unwrap().write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").unwrap();
            }
        });
        let (verdict, says) = verdict(address, None).await;
        assert!(verdict == Verdict::Wrong && says.contains("not by a keeper"), "{says}");
    }
}
