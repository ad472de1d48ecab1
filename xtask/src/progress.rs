//! Long steps, shown while they run: a spinner with the last line of output on a terminal, a line at the start, one every
//! half minute and one at the end elsewhere. A step that fails shows the end of its output.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(100);
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Lines of output that a failing step shows.
const TAIL: usize = 40;

/// A step under way. Say what it does in a short phrase that a newcomer understands.
pub struct Step {
    what: String,
    started: Instant,
    spinner: Option<ProgressBar>,
}

impl Step {
    /// Announces the step.
    pub fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        let spinner = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix} ({elapsed}) {wide_msg:.dim}");
            let bar = ProgressBar::new_spinner().with_prefix(what.clone());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(TICK);
            bar
        });
        if spinner.is_none() {
            eprintln!("  {what} ...");
        }
        Self { what, started: Instant::now(), spinner }
    }

    /// Runs one command of the step to its end; its output is shown only if it fails.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{name}` could not be started; is it installed?"))?;
        let (sender, lines) = mpsc::channel();
        let readers = [
            child.stdout.take().map(|out| forward(out, sender.clone())),
            child.stderr.take().map(|err| forward(err, sender)),
        ];

        let mut tail = VecDeque::with_capacity(TAIL);
        let mut last_heartbeat = Instant::now();
        loop {
            match lines.recv_timeout(HEARTBEAT) {
                Ok(line) => {
                    if let Some(spinner) = &self.spinner {
                        spinner.set_message(line.clone());
                    }
                    if tail.len() == TAIL {
                        tail.pop_front();
                    }
                    tail.push_back(line);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.spinner.is_none() && last_heartbeat.elapsed() >= HEARTBEAT {
                last_heartbeat = Instant::now();
                let line = tail.back().map_or("", String::as_str);
                eprintln!("    {:.0} s: {line}", self.started.elapsed().as_secs_f32());
            }
        }
        for reader in readers.into_iter().flatten() {
            // A reader only ends early by panicking, and then its lines are lost, not the step.
            let _ = reader.join();
        }

        let status = child.wait().with_context(|| format!("waiting for `{name}`"))?;
        if !status.success() {
            let output = Vec::from(tail).join("\n");
            bail!("{} failed: `{name}` ended with {status}. The end of its output:\n{output}", self.what);
        }
        Ok(())
    }

    /// Says that the step is done, and how long it took.
    pub fn done(self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
        eprintln!("  {} (done in {:.1} s)", self.what, self.started.elapsed().as_secs_f32());
    }
}

fn forward(stream: impl Read + Send + 'static, lines: Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    })
}
