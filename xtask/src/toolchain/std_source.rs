//! The standard library's source, with the two edits that let it compile for SBPF.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache::Cache;
use super::rust::Rust;
use crate::progress::Step;

/// One edit: in `file`, what stands from `from` up to `until` becomes `replacement`.
struct Edit {
    file: &'static str,
    from: &'static str,
    until: &'static str,
    replacement: &'static str,
    why: &'static str,
}

const EDITS: [Edit; 2] = [
    Edit {
        file: "std/src/sys/alloc/mod.rs",
        from: "    target_arch = \"riscv64\",\n",
        until: "",
        replacement: "    target_arch = \"riscv64\",\n    target_arch = \"bpf\",\n",
        why: "the allocator has to know the alignment of every architecture",
    },
    Edit {
        file: "std/src/hash/random.rs",
        from: "        thread_local!(static KEYS",
        until: "    }\n}\n\n#[stable(feature = \"hashmap_build_hasher\"",
        replacement: "        RandomState { k0: 0, k1: 0 }\n",
        why: "a chain has no randomness, and SBPF has no writable statics to keep keys in",
    },
];

/// Makes sure that the cache holds the edited copy.
pub fn install(cache: &Cache, rust: &Rust) -> Result<PathBuf> {
    let mut recipe = fs::read_to_string(rust.library.join("Cargo.lock")).context("reading the library's lock file")?;
    for edit in &EDITS {
        recipe.push_str(&format!("\n# {}: {}\n{}", edit.file, edit.why, edit.replacement));
    }
    let part = cache.part("std", &recipe, |folder| {
        let step = Step::start("Preparing the standard library's source for SBPF");
        step.run(Command::new("cp").arg("-R").arg(&rust.library).arg(folder))?;
        EDITS.iter().try_for_each(|edit| edit.apply(&folder.join("library")))?;
        step.done();
        Ok(())
    })?;
    Ok(part.join("library"))
}

impl Edit {
    fn apply(&self, library: &Path) -> Result<()> {
        let path = library.join(self.file);
        let text = fs::read_to_string(&path).with_context(|| format!("{} has moved", self.file))?;
        let Some(edited) = self.edit(&text) else {
            bail!(
                "Debian's Rust has changed in {}, so the edit for SBPF does not apply ({}): adapt xtask/src/toolchain/std_source.rs",
                self.file,
                self.why
            );
        };
        fs::write(&path, edited)?;
        Ok(())
    }

    fn edit(&self, text: &str) -> Option<String> {
        let (before, rest) = text.split_once(self.from)?;
        let (_, after) = rest.split_at(rest.find(self.until)?);
        Some(format!("{before}{}{after}", self.replacement))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_replaces_what_it_names_and_keeps_the_rest() {
        let edit = Edit { file: "", from: "b", until: "d", replacement: "B", why: "" };
        assert_eq!(edit.edit("abcde").as_deref(), Some("aBde"));
        assert_eq!(edit.edit("acde"), None);
        assert_eq!(edit.edit("abce"), None);
    }
}
