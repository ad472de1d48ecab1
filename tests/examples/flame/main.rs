//! Draws where the compute of the commonest instructions goes: every instruction of the virtual machine is traced and counted for the
//! function that it belongs to, inlined ones included. `cargo xtask flame` compiles the program with what this needs and runs it:
//! `flame PROGRAM.so PROGRAM.elf FOLDER`.

mod code;
mod fold;
mod names;
mod scenes;
mod trace;

use std::{env, fs, path::Path, process::ExitCode};

use ballast_client::addresses::PROGRAM_ID;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [program, object, folder] = arguments.as_slice() else {
        eprintln!("usage: flame PROGRAM.so PROGRAM.elf FOLDER");
        return ExitCode::FAILURE;
    };
    match draw(Path::new(program), Path::new(object), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(program: &Path, object: &Path, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let names = names::Names::load(program, object)?;
    fs::create_dir_all(folder)?;
    println!("{:<44} {:>8} {:>13} {:>13}", "", "CU", "instructions", "system calls");
    for scene in scenes::all() {
        let (mut tracer, run) = scene.prepare(program)?;
        let units = tracer.trace(run);
        let mut folded = fold::Folded::default();
        for invocation in tracer.invocations() {
            if invocation.program == PROGRAM_ID {
                folded.add(&names, &invocation.counters);
            } else {
                folded.add_foreign(&invocation);
            }
        }
        // The runtime charges system calls and calls of other programs beside the instructions.
        let instructions = folded.instructions();
        let charged = units.checked_sub(instructions).ok_or("more instructions than compute units")?;
        folded.add_system_calls(charged);
        let file = folder.join(format!("{}.svg", scene.name));
        folded.draw(&scene.title(units), &file)?;
        println!("{:<44} {units:>8} {instructions:>13} {charged:>13}  {}", scene.what, file.display());
        for (part, spent) in folded.parts() {
            println!("    {spent:>7} {:>5.1} %  {part}", spent as f64 * 100.0 / units as f64);
        }
    }
    Ok(())
}
