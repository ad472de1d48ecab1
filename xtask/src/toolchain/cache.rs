//! The folder outside the checkout that keeps the toolchain, shared by all checkouts of a user.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::progress::Step;

/// The file in every part that holds the recipe it was made from.
const STAMP: &str = "recipe.txt";

/// The opened cache. Another process that opens it waits until this one is dropped, so that two builds do not install
/// the same part at once.
pub struct Cache {
    folder: PathBuf,
    _lock: File,
}

impl Cache {
    /// Opens `$BALLAST_CACHE`, or else `ballast` in `$XDG_CACHE_HOME` or `~/.cache`.
    pub fn open() -> Result<Self> {
        let folder = if let Some(folder) = variable("BALLAST_CACHE") {
            folder
        } else if let Some(caches) = variable("XDG_CACHE_HOME") {
            caches.join("ballast")
        } else if let Some(home) = variable("HOME") {
            home.join(".cache/ballast")
        } else {
            bail!("no place for the toolchain: set BALLAST_CACHE to a folder with 1.5 GB of room");
        };
        let folder = std::path::absolute(folder.join("toolchain"))?;
        fs::create_dir_all(&folder).with_context(|| format!("the cache {} cannot be created", folder.display()))?;
        let lock = File::create(folder.join("lock")).context("locking the toolchain cache")?;
        if lock.try_lock().is_err() {
            let step = Step::start("Waiting for another build that is installing the toolchain");
            lock.lock().context("locking the toolchain cache")?;
            step.done();
        }
        Ok(Self { folder, _lock: lock })
    }

    /// Makes sure that the part `name` was made from `recipe`, and returns its folder.
    ///
    /// If the stamp says otherwise, `install` fills an empty folder, which becomes the part only when it has succeeded.
    /// So an interrupted installation starts again, and a finished one is never touched.
    pub fn part(&self, name: &str, recipe: &str, install: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let part = self.folder.join(name);
        if fs::read_to_string(part.join(STAMP)).is_ok_and(|made_from| made_from == recipe) {
            return Ok(part);
        }
        remove(&part)?;
        let unfinished = self.folder.join(format!("{name}.unfinished"));
        remove(&unfinished)?;
        fs::create_dir_all(&unfinished)?;
        install(&unfinished)?;
        fs::write(unfinished.join(STAMP), recipe)?;
        fs::rename(&unfinished, &part)?;
        Ok(part)
    }
}

/// Writes a shell script that can be executed.
pub fn write_script(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Removes a folder, if it is there.
pub fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
