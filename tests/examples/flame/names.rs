//! What a linked program's instructions are called. An SBPFv3 file has no symbols; the object that the linker made it from has, and
//! debug information. Functions are in the same order in both but for those that nothing reaches, which the linker leaves out; inside a
//! function it replaces some instructions by several. So the two are laid side by side, function by function, and that every call goes
//! to the same function in both is checked.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    error::Error,
    fs,
    path::Path,
};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionIndex, SymbolKind};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::code::{Op, WIDTH};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The names of all instructions.
pub struct Names {
    /// Of each instruction, what it is.
    pub ops: Vec<Op>,
    /// Of each instruction, the functions that it is in: the one that is called first, then what was inlined there, outermost first.
    frames: Vec<u32>,
    /// The lists of functions.
    lists: Vec<Vec<String>>,
}

impl Names {
    /// Of a linked program and the object that it was made from.
    pub fn load(program: &Path, object: &Path) -> Result<Names> {
        let (text, base, roots) = linked(&fs::read(program)?)?;
        let ops = Op::all(&text);
        let data = fs::read(object)?;
        let before = Unlinked::read(&data)?;
        let starts = starts(&ops, base, roots);
        let functions = before.reachable()?;
        if starts.len() != functions.len() {
            return Err(format!("{} functions were linked, {} can be reached", starts.len(), functions.len()).into());
        }
        check_calls(&ops, &starts, &before, &functions)?;
        let lookup = addr2line::Loader::new(object).map_err(|error| error.to_string())?;
        let (mut names, mut known) = (Names { frames: vec![0; ops.len()], ops, lists: vec![vec![]] }, HashMap::new());
        for (at, function) in functions.iter().enumerate() {
            let end = starts.get(at + 1).copied().unwrap_or(names.ops.len());
            let function = &before.functions[*function];
            let places = aligned(&before.ops[function.start..function.end], &names.ops[starts[at]..end]);
            for (op, place) in (starts[at]..).zip(places) {
                let list = frames(&lookup, function, function.start + place)?;
                let next = u32::try_from(names.lists.len())?;
                let id = *known.entry(list.clone()).or_insert(next);
                if id == next {
                    names.lists.push(list);
                }
                names.frames[op] = id;
            }
        }
        Ok(names)
    }

    /// The functions that the instruction at `counter` is in, outermost first.
    pub fn at(&self, counter: usize) -> &[String] {
        self.frames.get(counter).map_or(&[], |list| &self.lists[*list as usize])
    }
}

/// A linked program's text, its address, and the instructions that the program begins with and that its constants have addresses of.
fn linked(file: &[u8]) -> Result<(Vec<u8>, u64, Vec<usize>)> {
    let header = object::elf::FileHeader64::<object::Endianness>::parse(file)?;
    use object::read::elf::{FileHeader as _, ProgramHeader as _};
    let endian = header.endian()?;
    let (mut text, mut base, mut constants) = (None, 0, Vec::new());
    for segment in header.program_headers(endian, file)? {
        let data = segment.data(endian, file).map_err(|()| "a segment beyond the file's end")?;
        if segment.p_flags(endian) & 1 != 0 {
            (text, base) = (Some(data.to_vec()), segment.p_vaddr(endian));
        } else {
            constants.extend_from_slice(data);
        }
    }
    let text = text.ok_or("no text")?;
    let index = |address: u64| {
        let offset = usize::try_from(address.checked_sub(base)?).ok()?;
        (offset < text.len() && offset.is_multiple_of(WIDTH)).then_some(offset / WIDTH)
    };
    let words = constants.chunks_exact(8).filter_map(|word| index(u64::from_le_bytes(word.try_into().ok()?)));
    let roots = index(header.e_entry(endian)).into_iter().chain(words).collect();
    Ok((text, base, roots))
}

/// Where functions begin: what is called, and what constants and instructions have addresses of.
fn starts(ops: &[Op], base: u64, roots: Vec<usize>) -> Vec<usize> {
    let called = ops.iter().enumerate().filter_map(|(at, op)| op.callee(at));
    let loaded = ops.windows(2).filter_map(|pair| {
        let offset = usize::try_from(pair[0].loaded(pair[1])?.checked_sub(base)?).ok()?;
        let at = offset / WIDTH;
        // A number that happens to look like an address is not one of what follows an end.
        let begins = offset.is_multiple_of(WIDTH) && at > 0 && ops.get(at - 1).is_some_and(|before| before.ends());
        (begins && at < ops.len()).then_some(at)
    });
    called.chain(loaded).chain(roots).collect::<BTreeSet<_>>().into_iter().collect()
}

struct Function {
    name: String,
    /// In instructions of all text, section behind section.
    start: usize,
    end: usize,
    /// The address in its section, if that is the first, which debug information tells apart from others.
    address: Option<u64>,
}

/// The object before linking.
struct Unlinked {
    ops: Vec<Op>,
    functions: Vec<Function>,
    /// Which functions each function names, by calling them or otherwise; the last is the constants' list.
    named: Vec<Vec<usize>>,
    /// Which functions it calls, in order.
    called: Vec<Vec<usize>>,
}

impl Unlinked {
    fn read(data: &[u8]) -> Result<Unlinked> {
        let file = object::File::parse(data)?;
        let (mut text, mut bases) = (Vec::new(), BTreeMap::new());
        for section in file.sections().filter(|section| section.name().is_ok_and(|name| name.starts_with(".text"))) {
            bases.insert(section.index().0, text.len() / WIDTH);
            text.extend_from_slice(section.data()?);
        }
        let mut functions = Vec::new();
        for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
            let Some(base) = symbol.section_index().and_then(|section| bases.get(&section.0)) else { continue };
            let (start, length) = (usize::try_from(symbol.address())?, usize::try_from(symbol.size())?);
            let start = base + start / WIDTH;
            let address = (*base == 0).then_some(symbol.address());
            functions.push(Function { name: symbol.name()?.to_owned(), start, end: start + length / WIDTH, address });
        }
        functions.sort_by_key(|function| function.start);
        let ops = Op::all(&text);
        let (mut named, mut called) = (vec![Vec::new(); functions.len() + 1], vec![Vec::new(); functions.len()]);
        let whose = |op: usize| functions.partition_point(|function| function.start <= op).checked_sub(1);
        let mut relocated = BTreeSet::new();
        for section in file.sections() {
            let base = bases.get(&section.index().0).copied();
            let constants =
                section.name().is_ok_and(|name| name.starts_with(".rodata") || name.starts_with(".data.rel.ro"));
            if base.is_none() && !constants {
                continue;
            }
            let bytes = section.data()?;
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
                let symbol = file.symbol_by_index(symbol)?;
                let offset = usize::try_from(offset)?;
                let op = base.map(|base| base + offset / WIDTH);
                relocated.extend(op);
                // What has no section is the runtime's.
                let Some(target) = symbol.section_index().and_then(|section: SectionIndex| bases.get(&section.0))
                else {
                    continue;
                };
                // What is added stands in the instruction, counted in instructions from the next one where it is a call.
                let added = match op {
                    Some(op) if ops[op].calls() => (i64::from(immediate(bytes, offset)) + 1) * 8,
                    Some(_) => i64::from(immediate(bytes, offset)),
                    None => i64::from_le_bytes(bytes[offset..offset + 8].try_into()?),
                };
                let added = if symbol.kind() == SymbolKind::Text { 0 } else { added };
                let address = symbol.address().wrapping_add_signed(added);
                let Some(function) = whose(target + usize::try_from(address)? / WIDTH) else { continue };
                let by = op.and_then(whose).unwrap_or(functions.len());
                named[by].push(function);
                if op.is_some_and(|op| ops[op].calls()) {
                    called[by].push(function);
                }
            }
        }
        for (at, op) in ops.iter().enumerate().filter(|(at, _)| !relocated.contains(at)) {
            if let (Some(by), Some(function)) = (whose(at), op.callee(at).and_then(whose)) {
                named[by].push(function);
                called[by].push(function);
            }
        }
        Ok(Unlinked { ops, functions, named, called })
    }

    /// The functions that are linked, in order: those that the entry point reaches.
    fn reachable(&self) -> Result<Vec<usize>> {
        let entry = self.functions.iter().position(|function| function.name == "entrypoint").ok_or("no entry point")?;
        let (mut reached, mut next) = (BTreeSet::new(), vec![entry]);
        next.extend(self.named.last().into_iter().flatten());
        while let Some(function) = next.pop() {
            if reached.insert(function) {
                next.extend(&self.named[function]);
            }
        }
        Ok(reached.into_iter().collect())
    }
}

fn immediate(bytes: &[u8], offset: usize) -> i32 {
    bytes.get(offset + 4..offset + 8).map_or(0, |four| i32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

/// Fails unless every function calls the same functions, as often, before and after linking.
fn check_calls(ops: &[Op], starts: &[usize], before: &Unlinked, functions: &[usize]) -> Result<()> {
    let place: HashMap<usize, usize> = starts.iter().enumerate().map(|(at, start)| (*start, at)).collect();
    for (at, function) in functions.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(ops.len());
        let calls = (starts[at]..end).filter_map(|op| ops[op].callee(op));
        let mut after: Vec<usize> = calls.filter_map(|start| place.get(&start).map(|at| functions[*at])).collect();
        let mut wanted = before.called[*function].clone();
        after.sort_unstable();
        wanted.sort_unstable();
        if after != wanted {
            return Err(
                format!("{} does not call what it called before linking", before.functions[*function].name).into()
            );
        }
    }
    Ok(())
}

/// Of each instruction of a function after linking, the one before linking that it is, or that the one before it is.
fn aligned(before: &[Op], after: &[Op]) -> Vec<usize> {
    let kinds = |ops: &[Op]| ops.iter().map(|op| op.kind()).collect::<Vec<_>>();
    let mut places = Vec::with_capacity(after.len());
    for part in capture_diff_slices(Algorithm::Myers, &kinds(before), &kinds(after)) {
        match part {
            DiffOp::Equal { old_index, len, .. } => places.extend(old_index..old_index + len),
            DiffOp::Insert { old_index, new_len, .. } => {
                places.extend(std::iter::repeat_n(old_index.saturating_sub(1), new_len));
            }
            DiffOp::Replace { old_index, old_len, new_len, .. } => {
                places.extend((0..new_len).map(|at| old_index + at.min(old_len - 1)));
            }
            DiffOp::Delete { .. } => {}
        }
    }
    places
}

/// The function, then what was inlined at this instruction, outermost first.
fn frames(lookup: &addr2line::Loader, function: &Function, op: usize) -> Result<Vec<String>> {
    let mut list = Vec::new();
    if let Some(address) = function.address {
        let address = address + u64::try_from((op - function.start) * WIDTH)?;
        let mut frames = lookup.find_frames(address).map_err(|error| error.to_string())?;
        while let Some(frame) = frames.next().map_err(|error| error.to_string())? {
            list.extend(frame.function.and_then(|function| Some(plain(&function.raw_name().ok()?))));
        }
        // The innermost came first, and the last is the function itself.
        list.pop();
        list.reverse();
    }
    list.insert(0, plain(&function.name));
    Ok(list)
}

/// A name as it is in the source, without what makes it unique.
fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name)).replace(';', ",")
}
