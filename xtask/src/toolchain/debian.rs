//! Debian packages, downloaded and unpacked into a folder without root and without a change to the system.
//!
//! apt runs with private folders and a source of its own, signed by Debian's keyring, and with an empty list of installed
//! packages, so it names every dependency whatever the host is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, iter};

use anyhow::{Context, Result, bail};

use super::{cache, on_path};
use crate::progress::Step;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The names that a machine of this kind has in Debian.
pub struct Architecture {
    /// As in package file names.
    pub name: &'static str,
    /// The folder of libraries below `usr/lib`.
    pub libraries: &'static str,
    /// The program that loads dynamically linked programs, below `usr/lib/<libraries>`.
    pub loader: &'static str,
}

impl Architecture {
    /// The machine that this runs on.
    pub fn of_host() -> Result<Self> {
        match env::consts::ARCH {
            "x86_64" => Ok(Self { name: "amd64", libraries: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" }),
            "aarch64" => Ok(Self { name: "arm64", libraries: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" }),
            other => bail!(
                "there is no toolchain to bootstrap for {other} machines: install the Solana tools, so that \
                 `cargo-build-sbf` is on the PATH"
            ),
        }
    }
}

/// Which part of the archive to take packages from.
pub enum Release {
    /// Debian 12 with its security updates, where `rustc-web` lives.
    Bookworm,
    /// The unreleased Debian, where LLVM 23 lives.
    Sid,
}

/// Downloads `packages` and all they depend on, and unpacks into `prefix` the ones that `wanted` names.
pub fn unpack(
    step: &Step,
    release: Release,
    packages: &[&str],
    wanted: impl Fn(&str) -> bool,
    prefix: &Path,
) -> Result<()> {
    let work = prefix.join("apt");
    let config = prepare(&release, &work)?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command.arg("-c").arg(&config).env("LC_ALL", "C");
        command
    };
    step.run(apt().arg("update"))?;
    step.run(apt().args(["install", "--download-only", "--no-install-recommends", "-y"]).args(packages))?;

    for entry in fs::read_dir(work.join("cache/archives"))? {
        let file = entry?;
        let file_name = file.file_name();
        let Some((name, _)) = file_name.to_str().and_then(|name| name.strip_suffix(".deb")?.split_once('_')) else {
            continue;
        };
        if wanted(name) {
            step.run(Command::new("dpkg").arg("-x").arg(file.path()).arg(prefix))?;
        }
    }
    cache::remove(&work)
}

/// Writes apt's private configuration and returns its path.
fn prepare(release: &Release, work: &Path) -> Result<PathBuf> {
    for tool in ["apt-get", "dpkg"] {
        if on_path(tool).is_none() {
            bail!(
                "the bootstrap of the toolchain needs `{tool}`, which is not here: install the Solana tools instead, so \
                 that `cargo-build-sbf` is on the PATH"
            );
        }
    }
    if !Path::new(KEYRING).exists() {
        bail!("Debian's keyring {KEYRING} is missing: install the package debian-archive-keyring");
    }
    let mirror = Mirror::find()?;
    let architecture = Architecture::of_host()?.name;
    let source = |uri: &str, suite| format!("deb [arch={architecture} signed-by={KEYRING}] {uri} {suite} main\n");
    let sources = match release {
        Release::Bookworm => source(&mirror.archive, "bookworm") + &source(&mirror.security, "bookworm-security"),
        Release::Sid => source(&mirror.archive, "sid"),
    };

    for folder in ["lists/partial", "cache/archives/partial", "empty"] {
        fs::create_dir_all(work.join(folder))?;
    }
    fs::write(work.join("status"), "")?;
    fs::write(work.join("sources.list"), sources)?;
    let work = work.display();
    let config = format!(
        r#"APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "";
Debug::NoLocking "true";
Dir::Cache "{work}/cache";
Dir::Cache::archives "archives";
Dir::State::lists "{work}/lists";
Dir::State::status "{work}/status";
Dir::Etc::sourcelist "{work}/sources.list";
Dir::Etc::sourceparts "{work}/empty";
Dir::Etc::preferences "{work}/no-preferences";
Dir::Etc::preferencesparts "{work}/empty";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"#
    );
    let path = PathBuf::from(format!("{work}/apt.conf"));
    fs::write(&path, config)?;
    Ok(path)
}

/// Where the archive is.
struct Mirror {
    archive: String,
    security: String,
}

impl Mirror {
    /// `$BALLAST_DEBIAN_MIRROR`, or else the one that the host's own apt uses, if it is a Debian.
    fn find() -> Result<Self> {
        if let Some(archive) = env::var("BALLAST_DEBIAN_MIRROR").ok().filter(|uri| !uri.is_empty()) {
            return Ok(Self::beside(archive.trim_end_matches('/')));
        }
        let uris: Vec<String> = apt_source_files().iter().flat_map(|text| archive_uris(text)).collect();
        Self::among(&uris).context(
            "no Debian mirror is known, because this machine's apt has none: install the Solana tools, so that \
             `cargo-build-sbf` is on the PATH, or set BALLAST_DEBIAN_MIRROR to the URL of a mirror (it ends in /debian) \
             and install the package debian-archive-keyring",
        )
    }

    fn among(uris: &[String]) -> Option<Self> {
        let called = |name: &str| {
            uris.iter().find(|uri| uri.rsplit('/').next().is_some_and(|last| last.trim_end_matches(".list") == name))
        };
        let mut mirror = Self::beside(called("debian")?);
        if let Some(security) = called("debian-security") {
            mirror.security.clone_from(security);
        }
        Some(mirror)
    }

    /// Mirrors keep the security updates beside the archive, under this name.
    fn beside(archive: &str) -> Self {
        Self { archive: archive.to_owned(), security: format!("{archive}-security") }
    }
}

/// The texts of the host's apt sources.
fn apt_source_files() -> Vec<String> {
    let parts = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = iter::once(PathBuf::from("/etc/apt/sources.list")).chain(parts).collect();
    files.sort();
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect()
}

/// Every URI in a sources file, one-line or deb822 style: the words with a scheme, outside comments.
fn archive_uris(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(str::split_whitespace)
        .filter(|word| word.contains(":/"))
        .map(|word| word.trim_end_matches('/').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(text: &str) -> Option<(String, String)> {
        Mirror::among(&archive_uris(text)).map(|mirror| (mirror.archive, mirror.security))
    }

    #[test]
    fn the_mirror_of_a_deb822_file_is_found() {
        let text = "Types: deb\n# http://old.example/archive/debian\nURIs: http://a.example/debian\nSuites: trixie\n\n\
                    Types: deb\nURIs: http://b.example/debian-security/\nSuites: trixie-security\n";
        let expected = ("http://a.example/debian".to_owned(), "http://b.example/debian-security".to_owned());
        assert_eq!(mirror(text), Some(expected));
    }

    #[test]
    fn the_mirror_of_a_one_line_file_is_found_and_its_security_archive_is_beside_it() {
        let expected = ("https://a.example/debian".to_owned(), "https://a.example/debian-security".to_owned());
        assert_eq!(mirror("deb [arch=amd64] https://a.example/debian/ bookworm main\n"), Some(expected));
    }

    #[test]
    fn the_sources_of_another_distribution_name_no_mirror() {
        assert_eq!(mirror("deb http://archive.example/ubuntu noble main\ndeb https://x.example/apt stable main"), None);
    }
}
