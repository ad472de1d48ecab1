//! The exchange's interface description (IDL), which clients in other languages read.
//!
//! Anchor generates it by running tests that its macros add under the feature `idl-build`; each prints a part between
//! marker lines. This assembles the parts as Anchor's own command does, without needing that command.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::sbpf_build::Program;
use crate::workspace;

/// Writes `programs/ballast/idl/ballast.json`, or with `check` only says whether it is current.
pub fn run(check: bool) -> Result<()> {
    let printed = print_parts()?;
    let idl = serde_json::to_string_pretty(&assemble(&printed)?)? + "\n";
    let path = path();
    let shown = path.strip_prefix(workspace::root()).unwrap_or(&path).display().to_string();
    let current = fs::read_to_string(&path).is_ok_and(|committed| committed == idl);
    if check {
        if !current {
            bail!("{shown} is not what the program says: run `cargo xtask idl` and commit the result");
        }
        println!("{shown} is current");
        return Ok(());
    }
    if !current {
        fs::create_dir_all(path.parent().unwrap_or(workspace::root()))?;
        fs::write(&path, idl)?;
    }
    println!("{shown} {}", if current { "was current" } else { "written" });
    Ok(())
}

fn path() -> PathBuf {
    workspace::root().join(Program::BALLAST.folder).join("idl/ballast.json")
}

/// Runs the tests that print the parts.
fn print_parts() -> Result<String> {
    let output = workspace::cargo()
        .args(["test", "--package", Program::BALLAST.package, "--lib", "--features", "idl-build"])
        .args(["__anchor_private_print_idl", "--", "--show-output", "--quiet", "--test-threads=1"])
        .env("ANCHOR_IDL_BUILD_NO_DOCS", "FALSE")
        .env("ANCHOR_IDL_BUILD_RESOLUTION", "TRUE")
        .env("ANCHOR_IDL_BUILD_SKIP_LINT", "TRUE")
        .env("ANCHOR_IDL_BUILD_PROGRAM_PATH", workspace::root().join(Program::BALLAST.folder))
        .current_dir(workspace::root())
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    let printed = String::from_utf8(output.stdout).context("the program's IDL is not UTF-8")?;
    if !output.status.success() {
        bail!("the program's IDL could not be generated: see above\n{printed}");
    }
    Ok(printed)
}

/// Puts the printed parts together, sorted by name so that the result does not depend on the order of the source.
fn assemble(printed: &str) -> Result<Value> {
    let address = parts(printed, "address").pop().context("the program declares no address")?;
    let mut idl = one_of(printed, "program")?.context("the program printed no instructions")?;
    let mut types = BTreeMap::new();
    let mut events = Vec::new();
    for part in parts(printed, "event") {
        let mut part: Value = serde_json::from_str(&part).context("an event of the IDL")?;
        events.push(part["event"].take());
        collect_types(&mut types, &part["types"]);
    }
    // The program's own description of a type is the later and stronger one.
    collect_types(&mut types, &idl["types"]);
    let constants = parts(printed, "const")
        .iter()
        .map(|part| serde_json::from_str(part))
        .collect::<Result<Vec<Value>, _>>()
        .context("a constant of the IDL")?;

    idl["address"] = json!(address.trim_matches(|letter: char| !letter.is_alphanumeric()));
    idl["types"] = types.into_values().collect();
    idl["events"] = events.into();
    idl["constants"] = constants.into();
    if let Some(errors) = one_of(printed, "errors")? {
        idl["errors"] = errors;
    }
    shorten_paths(&mut idl);
    for list in ["accounts", "constants", "events", "instructions", "types"] {
        sort_by_name(&mut idl[list]);
    }
    check_discriminators(&idl)?;
    Ok(without_empty_lists(idl))
}

/// The texts between the marker lines of one kind.
fn parts(printed: &str, kind: &str) -> Vec<String> {
    let (begin, end) = (format!("--- IDL begin {kind} ---"), format!("--- IDL end {kind} ---"));
    let mut lines = printed.lines();
    let mut parts = Vec::new();
    while lines.by_ref().any(|line| line == begin) {
        parts.push(lines.by_ref().take_while(|line| *line != end).collect::<Vec<_>>().join("\n"));
    }
    parts
}

fn one_of(printed: &str, kind: &str) -> Result<Option<Value>> {
    match parts(printed, kind).as_slice() {
        [] => Ok(None),
        [part] => Ok(Some(serde_json::from_str(part).with_context(|| format!("the IDL's {kind}"))?)),
        _ => bail!("the program has more than one list of {kind}"),
    }
}

fn name(item: &Value) -> &str {
    item["name"].as_str().unwrap_or_default()
}

fn collect_types(types: &mut BTreeMap<String, Value>, list: &Value) {
    for item in list.as_array().into_iter().flatten() {
        types.insert(name(item).to_owned(), item.clone());
    }
}

fn sort_by_name(list: &mut Value) {
    if let Some(items) = list.as_array_mut() {
        items.sort_by(|a, b| name(a).cmp(name(b)));
    }
}

/// Types are printed with their paths (`ballast::state::Market`). A client sees the last name alone, unless two types
/// share it.
fn shorten_paths(idl: &mut Value) {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for_each_string(idl, &mut |text| {
        if let Some((_, last)) = text.rsplit_once("::").filter(|_| is_path(text)) {
            let paths = by_name.entry(last.to_owned()).or_default();
            if !paths.contains(text) {
                paths.push(text.clone());
            }
        }
    });
    for_each_string(idl, &mut |text| {
        if let Some((_, last)) = text.rsplit_once("::").filter(|_| is_path(text))
            && by_name[last].len() == 1
        {
            *text = last.to_owned();
        }
    });
}

fn is_path(text: &str) -> bool {
    text.split("::")
        .all(|word| !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
}

fn for_each_string(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter_mut().for_each(|item| for_each_string(item, visit)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, field)| for_each_string(field, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Two things of one kind whose first bytes agree could be taken for each other.
fn check_discriminators(idl: &Value) -> Result<()> {
    for kind in ["accounts", "events", "instructions"] {
        let items = idl[kind].as_array().map(Vec::as_slice).unwrap_or_default();
        let bytes = |item: &Value| item["discriminator"].as_array().cloned().unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            if bytes(item).is_empty() {
                bail!("`{}` of the {kind} has an empty discriminator", name(item));
            }
            for other in items.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, other)| other) {
                if bytes(other).starts_with(&bytes(item)) {
                    bail!("`{}` and `{}` of the {kind} share a discriminator", name(item), name(other));
                }
            }
        }
    }
    Ok(())
}

/// Anchor leaves out lists with nothing in them, except the instructions.
fn without_empty_lists(idl: Value) -> Value {
    let Value::Object(fields) = idl else { return idl };
    let keep = |key: &str, field: &Value| key == "instructions" || field.as_array().is_none_or(|list| !list.is_empty());
    fields.into_iter().filter(|(key, field)| keep(key, field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = r#"
test noise
--- IDL begin address ---
"Addr1111"
--- IDL end address ---
--- IDL begin event ---
{"event": {"name": "a::Filled", "discriminator": [7]}, "types": [{"name": "a::Filled"}]}
--- IDL end event ---
--- IDL begin errors ---
[{"code": 6000, "name": "Late"}]
--- IDL end errors ---
--- IDL begin program ---
{"address": "", "instructions": [{"name": "b", "discriminator": [2]}, {"name": "a", "discriminator": [1]}],
 "accounts": [], "types": [{"name": "x::Side"}, {"name": "y::Side"}], "constants": []}
--- IDL end program ---
"#;

    #[test]
    fn the_parts_become_one_sorted_description() -> Result<()> {
        let idl = assemble(PRINTED)?;
        assert_eq!(idl["address"], "Addr1111");
        assert_eq!(idl["instructions"][0]["name"], "a");
        assert_eq!(idl["events"][0]["name"], "Filled");
        assert_eq!(idl["errors"][0]["code"], 6000);
        assert!(idl.get("accounts").is_none());
        Ok(())
    }

    #[test]
    fn names_that_two_types_share_keep_their_paths() -> Result<()> {
        let idl = assemble(PRINTED)?;
        let names: Vec<_> = idl["types"].as_array().into_iter().flatten().map(name).collect();
        assert_eq!(names, ["Filled", "x::Side", "y::Side"]);
        Ok(())
    }

    #[test]
    fn a_discriminator_that_begins_another_is_refused() {
        let clash = PRINTED.replace("\"discriminator\": [2]", "\"discriminator\": [1, 2]");
        assert!(assemble(&clash).is_err_and(|error| error.to_string().contains("share a discriminator")));
    }
}
