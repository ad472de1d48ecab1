//! What operators are given: the configuration loads, dashboard and alerts name only what a keeper serves, the handbook knows every
//! error, unit and container name what is there. Where Prometheus' and systemd's own tools are at hand, they have the last word.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use ballast_client::error::ALL;
use ballast_keeper::{
    config::Config,
    metrics::Metrics,
    outcome::sense,
    settings::{Arguments, Settings, Wanted},
};
use clap::Parser;
use yaml_rust2::{Yaml, YamlLoader};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ops").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn handbook() -> String {
    fs::read_to_string(root().join("docs/keeper-handbook.md")).unwrap()
}

/// A program, if it is installed.
fn installed(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.exists());
    if found.is_none() {
        eprintln!("{name} is not installed: what only it checks is not checked");
    }
    found
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
    let handbook = handbook();
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

/// Errors of each row of the handbook's table.
fn rows_of_errors(handbook: &str) -> Vec<Vec<&str>> {
    let section = handbook.split("\n## ").find(|section| section.starts_with("Errors\n")).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.filter(|cell| cell.starts_with('`')).map(|cell| cell.split('`').skip(1).step_by(2).collect()).collect()
}

#[test]
fn the_handbook_says_what_every_error_of_the_program_means() {
    let (handbook, mut told) = (handbook(), BTreeMap::<&str, usize>::new());
    let rows = rows_of_errors(&handbook);
    for name in rows.iter().flatten() {
        *told.entry(name).or_default() += 1;
    }
    let known: BTreeSet<String> = ALL.iter().map(|error| error.name()).collect();
    for name in &known {
        assert_eq!(told.get(name.as_str()), Some(&1), "{name} is not in the table once");
    }
    let strange: Vec<_> = told.keys().filter(|name| !known.contains(**name) && **name != "Runtime").collect();
    assert!(strange.is_empty(), "{strange:?} are no errors");
    // What the keeper does about them is the same within a row.
    for row in rows {
        let errors = ALL.iter().filter(|error| row.contains(&error.name().as_str()));
        let senses: Vec<_> = errors.map(|error| sense(*error)).collect();
        assert!(senses.windows(2).all(|pair| pair[0] == pair[1]), "{row:?}: {senses:?}");
    }
}

#[test]
fn every_alert_is_one_to_prometheus_and_says_what_to_do() {
    let documents = YamlLoader::load_from_str(&text("alerts.yml")).unwrap();
    let [document] = &documents[..] else { panic!("one document") };
    let keys = |yaml: &Yaml| -> BTreeSet<String> {
        yaml.as_hash().unwrap().keys().map(|key| key.as_str().unwrap().to_owned()).collect()
    };
    let exactly = |yaml: &Yaml, names: &[&str]| {
        assert_eq!(keys(yaml), names.iter().map(ToString::to_string).collect(), "{yaml:?}");
    };
    let said = |yaml: &Yaml| yaml.as_str().is_some_and(|text| !text.trim().is_empty());
    exactly(document, &["groups"]);
    let mut names = BTreeSet::new();
    for group in document["groups"].as_vec().unwrap() {
        exactly(group, &["name", "rules"]);
        for rule in group["rules"].as_vec().unwrap() {
            let mut has = keys(rule);
            has.remove("for");
            assert_eq!(has, ["alert", "annotations", "expr", "labels"].map(str::to_owned).into(), "{rule:?}");
            assert!(said(&rule["expr"]) && names.insert(rule["alert"].as_str().unwrap().to_owned()), "{rule:?}");
            exactly(&rule["labels"], &["severity"]);
            assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{rule:?}");
            exactly(&rule["annotations"], &["action", "summary"]);
            assert!(said(&rule["annotations"]["action"]) && said(&rule["annotations"]["summary"]), "{rule:?}");
            if let Some(wait) = rule["for"].as_str() {
                let digits = wait.trim_end_matches(['s', 'm', 'h']);
                assert!(wait.len() == digits.len() + 1 && digits.parse::<u32>().is_ok(), "{rule:?}");
            }
        }
    }
    assert!(names.len() > 20);
    if let Some(promtool) = installed("promtool") {
        let output = Command::new(promtool).args(["check", "rules"]).arg(file("alerts.yml")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn systemd_understands_all_of_the_service() {
    let Some(analyze) = installed("systemd-analyze") else { return };
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("ballast-keeper.service");
    // It looks whether the program is there.
    let text = text("ballast-keeper.service");
    fs::write(&unit, text.replace("/usr/local/bin/ballast-keeper", env!("CARGO_BIN_EXE_ballast-keeper"))).unwrap();
    let output = Command::new(analyze).args(["verify", "--man=no"]).arg(&unit).output().unwrap();
    // Some versions only warn of what they do not understand.
    let says = String::from_utf8_lossy(&output.stderr);
    let about: Vec<_> = says.lines().filter(|line| line.contains("ballast-keeper.service")).collect();
    assert!(output.status.success() && about.is_empty(), "{says}");
}

/// Nobody builds the container here: at least what it names is there, and what it runs is a command that cargo takes.
#[test]
fn the_container_builds_a_program_that_this_workspace_has() {
    let docker = text("Dockerfile");
    let named = docker.lines().flat_map(|line| line.split_whitespace()).filter(|word| word.starts_with("keepers/"));
    for path in named {
        assert!(root().join(path).exists(), "{path} is not there");
    }
    let build = docker.lines().find_map(|line| line.strip_prefix("RUN cargo build ")).unwrap();
    assert_eq!(build, "--release --locked -p ballast-keeper");
    assert!(docker.contains("COPY --from=build /src/target/release/ballast-keeper /usr/local/bin/ballast-keeper"));
    assert!(docker.contains("ENTRYPOINT [\"/usr/local/bin/ballast-keeper\"]"));
    let image = docker.lines().find_map(|line| line.strip_prefix("FROM rust:")?.split('-').next()).unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let needed = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert_eq!(needed.trim_matches('"'), image, "the image's compiler is the workspace's");
    // It builds by the lock file, of a package that has that program; without a look at other packages, which asks the network.
    assert!(root().join("Cargo.lock").exists());
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let output = metadata.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "ballast-keeper").unwrap();
    let is_program = |target: &serde_json::Value| target["name"] == "ballast-keeper" && target["kind"][0] == "bin";
    assert!(package["targets"].as_array().unwrap().iter().any(is_program));
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
