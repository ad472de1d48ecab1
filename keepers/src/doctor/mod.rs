//! `ballast-keeper doctor`: looks at everything that a keeper needs before it is started, and says in plain words what is
//! wrong and how to mend it. It sends no transaction and changes nothing.

mod chain;
mod local;
mod node;
mod own;

use core::fmt;

use ballast_client::redact::redacted;
use serde::Serialize;

use crate::{config::Config, settings::Settings};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// The keeper runs, and not as well as it could.
    Warning,
    /// The keeper would not start, or not do its work.
    Wrong,
    /// Could not be looked at, because of something else that is wrong.
    Skipped,
}

impl Verdict {
    fn sign(self) -> &'static str {
        match self {
            Verdict::Good => "ok      ",
            Verdict::Warning => "warning ",
            Verdict::Wrong => "WRONG   ",
            Verdict::Skipped => "skipped ",
        }
    }
}

/// What one check found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// In words.
    pub says: String,
    /// What to do about it.
    pub mend: Option<String>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// In the order in which it was looked at.
    pub findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, check: &'static str, verdict: Verdict, says: impl Into<String>, mend: Option<String>) {
        // Reports are pasted into chats and tickets; keys of a provider are in its URLs.
        self.findings.push(Finding { check, verdict, says: redacted(&says.into()), mend });
    }

    fn good(&mut self, check: &'static str, says: impl Into<String>) {
        self.add(check, Verdict::Good, says, None);
    }

    fn warn(&mut self, check: &'static str, says: impl Into<String>, mend: impl Into<String>) {
        self.add(check, Verdict::Warning, says, Some(mend.into()));
    }

    fn wrong(&mut self, check: &'static str, says: impl Into<String>, mend: impl Into<String>) {
        self.add(check, Verdict::Wrong, says, Some(mend.into()));
    }

    fn skip(&mut self, checks: &[&'static str], because: &str) {
        for check in checks {
            self.add(check, Verdict::Skipped, format!("not looked at: {because}"), None);
        }
    }

    /// Whether a keeper can be started.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.verdict != Verdict::Wrong)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { check, verdict, says, mend } in &self.findings {
            writeln!(f, "{}{check:<14}{says}", verdict.sign())?;
            if let Some(mend) = mend {
                writeln!(f, "{:22}-> {mend}", "")?;
            }
        }
        let count = |verdict| self.findings.iter().filter(|finding| finding.verdict == verdict).count();
        let (wrong, warnings) = (count(Verdict::Wrong), count(Verdict::Warning));
        match (wrong, warnings) {
            (0, 0) => write!(f, "Everything is as it should be."),
            (0, _) => write!(f, "The keeper can be started; {warnings} to look at."),
            _ => write!(f, "{wrong} wrong, {warnings} to look at: the keeper would not do its work."),
        }
    }
}

/// Looks at everything.
pub async fn examine(settings: Settings) -> Report {
    let mut report = Report::default();
    let config = match Config::new(settings) {
        Ok(config) => {
            report.good("configuration", format!("complete; roles {:?}", config.roles));
            config
        }
        Err(error) => {
            report.wrong("configuration", format!("{error:#}"), "correct the flag, variable or line that it names");
            return report;
        }
    };
    let key = local::key(&mut report, &config);
    let Some(rpc) = node::answers(&mut report, &config).await else {
        local::metrics_port(&mut report, &config, config.exchange.as_ref()).await;
        report.skip(
            &[
                "websocket",
                "program",
                "exchange",
                "versions",
                "markets",
                "oracles",
                "tables",
                "clock",
                "fees",
                "balance",
            ],
            "the node does not answer",
        );
        return report;
    };
    node::websocket(&mut report, &config).await;
    let found = chain::exchange(&mut report, &config, &rpc).await;
    if let Some(found) = &found {
        chain::markets(&mut report, &config, found);
        chain::oracles(&mut report, &config, &rpc, found).await;
        chain::tables(&mut report, &config, &rpc, found).await;
        node::fees(&mut report, &config, &rpc, &chain::written(found)).await;
    } else {
        report.skip(&["markets", "oracles", "tables", "fees"], "there is no exchange to look at");
    }
    let exchange = found.as_ref().map(|found| found.snapshot.keys.exchange).or(config.exchange);
    local::metrics_port(&mut report, &config, exchange.as_ref()).await;
    match key {
        Some(key) => own::examine(&mut report, &config, &rpc, &key, found.as_ref()).await,
        None => report.skip(&["balance", "account"], "the key is not usable"),
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_good_unless_something_is_wrong() {
        let mut report = Report::default();
        report.good("a", "fine");
        report.warn("b", "so so", "do something");
        assert!(report.is_good() && report.to_string().contains("1 to look at"));
        report.wrong("c", "bad", "mend it");
        report.skip(&["d"], "c is bad");
        assert!(!report.is_good());
        let text = report.to_string();
        assert!(text.contains("WRONG   c") && text.contains("-> mend it") && text.contains("skipped d"), "{text}");
    }

    #[test]
    fn keys_in_urls_are_not_reported() {
        let mut report = Report::default();
        report.wrong(
            "node",
            "https://rpc.example/?api-key=SECRET does not answer: for url (https://rpc.example/SECRET)",
            "",
        );
        let text = report.to_string();
        assert!(text.contains("https://rpc.example does not answer") && !text.contains("SECRET"), "{text}");
    }

    #[tokio::test]
    async fn what_a_configuration_lacks_is_said_before_anything_is_asked() {
        let report = examine(Settings::default()).await;
        assert_eq!(report.findings.len(), 1);
        assert!(report.findings[0].says.contains("--roles"), "{report}");
    }
}
