//! What operators are given: the configuration loads, and dashboard and alerts name only what a keeper serves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use ballast_keeper::{
    config::Config,
    metrics::Metrics,
    settings::{Arguments, Settings, Wanted},
};
use clap::Parser;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ops").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}

/// Metrics that a text names, as they are registered: without what histograms add.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let metrics = words.filter(|word| word.starts_with("ballast_keeper_"));
    metrics
        .map(|word| word.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count").to_owned())
        .collect()
}

fn served() -> BTreeSet<String> {
    Metrics::new().unwrap().names().into_iter().collect()
}

#[test]
fn the_example_configuration_is_one() {
    let path = file("keeper.toml");
    let line = ["ballast-keeper", "--config", path.to_str().unwrap()];
    let Wanted::Keep(said) = Arguments::try_parse_from(line).unwrap().wanted() else { panic!("no subcommand") };
    let config = Config::new(said.settings().unwrap()).unwrap();
    assert!(!config.takeover.enabled, "nobody takes positions over by copying a file");
    assert!(config.metrics_addr.unwrap().ip().is_loopback());
    // What is commented out has to be right as well.
    let all: String = text("keeper.toml")
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !rest.contains("takeover = ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let all = all.replace("\"...\"", "\"7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE\"");
    let settings: Settings = toml::from_str(&all).unwrap_or_else(|error| panic!("{error}\n{all}"));
    assert!(settings.unwind_bps.is_some() && settings.exchange.is_some());
    Config::new(settings).unwrap();
}

#[test]
fn dashboard_and_alerts_name_only_metrics_that_a_keeper_serves() {
    let served = served();
    for name in ["dashboard.json", "alerts.yml"] {
        let named = named(&text(name));
        let unknown: Vec<_> = named.difference(&served).collect();
        assert!(unknown.is_empty(), "{name} names {unknown:?}");
        assert!(named.len() > 10, "{name} names few");
    }
    let handbook =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/keeper-handbook.md")).unwrap();
    let untold: Vec<_> = served.iter().filter(|name| !handbook.contains(&name["ballast_keeper_".len()..])).collect();
    assert!(untold.is_empty(), "the handbook does not tell of {untold:?}");
}

#[test]
fn the_dashboard_is_json_with_a_query_in_every_panel() {
    let dashboard: serde_json::Value = serde_json::from_str(&text("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels {
        let queries = panel["targets"].as_array().unwrap();
        assert!(queries.iter().all(|query| query["expr"].as_str().unwrap().contains("ballast_keeper_")), "{panel}");
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let alerts = text("alerts.yml");
    let count = |what: &str| alerts.lines().filter(|line| line.trim_start().starts_with(what)).count();
    let all = count("- alert:");
    assert!(all > 10);
    for what in ["expr:", "labels:", "summary:", "action:"] {
        assert_eq!(count(what), all, "{what}");
    }
}

#[test]
fn the_service_starts_what_the_handbook_says_with_its_configuration() {
    let unit = text("ballast-keeper.service");
    assert!(unit.contains("ExecStart=/usr/local/bin/ballast-keeper --config /etc/ballast/keeper.toml"));
    let wait: u64 = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap().parse().unwrap();
    let settings: Settings = toml::from_str(&text("keeper.toml")).unwrap();
    let grace = Config::new(settings).unwrap().grace.as_secs();
    assert!(wait > grace, "systemd would kill a keeper that finishes what is under way");
    assert!(text("Dockerfile").contains(&format!("--stop-timeout {wait}")));
}
