//! Processes beside the node, such as keepers and the indexer: started with a log file each, watched, and stopped together.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::LocalnetError;

/// How long they may take to stop, in seconds.
const STOP_SECONDS: u64 = 10;

/// Running processes and a folder with their logs.
pub struct Processes {
    folder: PathBuf,
    running: Vec<Process>,
}

struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Processes {
    /// None yet. The folder is made empty.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn new(folder: &Path) -> Result<Self, LocalnetError> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        Ok(Processes { folder: folder.to_owned(), running: Vec::new() })
    }

    /// The folder of the logs, where a process may keep other files, too.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts one. Returns the file that takes what it writes.
    ///
    /// # Errors
    /// When the program is not there or the file cannot be made.
    pub fn start(&mut self, name: &str, command: &mut Command) -> Result<PathBuf, LocalnetError> {
        let log = self.folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| failed(name, format!("{}: {error}", command.get_program().display())))?;
        self.running.push(Process { name: name.to_owned(), log: log.clone(), child });
        Ok(log)
    }

    /// How many run.
    ///
    /// # Errors
    /// When one has ended by itself: which, how, and where its log is.
    pub fn check(&mut self) -> Result<usize, LocalnetError> {
        for Process { name, log, child } in &mut self.running {
            if let Some(status) = child.try_wait()? {
                return Err(failed(name, format!("ended by itself ({status}); its log is {}", log.display())));
            }
        }
        Ok(self.running.len())
    }

    /// Kills all of them, as a power failure would.
    ///
    /// # Errors
    /// When one cannot be killed.
    pub fn kill(&mut self) -> Result<(), LocalnetError> {
        for mut process in self.running.drain(..) {
            process.child.kill()?;
            process.child.wait()?;
        }
        Ok(())
    }

    /// Asks all of them to end, and waits.
    ///
    /// # Errors
    /// When some did not in time. They are killed.
    pub fn stop(&mut self) -> Result<(), LocalnetError> {
        for process in &self.running {
            Command::new("kill").args(["-TERM", &process.child.id().to_string()]).stderr(Stdio::null()).status()?;
        }
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS);
        let mut late = Vec::new();
        for mut process in self.running.drain(..) {
            while process.child.try_wait()?.is_none() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(50));
            }
            if process.child.try_wait()?.is_none() {
                process.child.kill()?;
                process.child.wait()?;
                late.push(process.name);
            }
        }
        if late.is_empty() {
            return Ok(());
        }
        Err(failed(&late.join(", "), format!("did not end within {STOP_SECONDS} s of SIGTERM")))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // Only after an error: otherwise they have been stopped.
        let _ = self.kill();
    }
}

fn failed(name: &str, problem: String) -> LocalnetError {
    LocalnetError::Process { name: name.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn processes_are_watched_and_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let mut processes = Processes::new(&folder.path().join("logs")).unwrap();
        let log = processes.start("sleeper", &mut shell("echo awake; exec sleep 600")).unwrap();
        assert_eq!(processes.check().unwrap(), 1);
        while fs::read_to_string(&log).unwrap() != "awake\n" {
            thread::sleep(Duration::from_millis(5));
        }
        processes.stop().unwrap();
        assert_eq!(processes.check().unwrap(), 0);
    }

    #[test]
    fn one_that_ends_by_itself_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut processes = Processes::new(&folder.path().join("logs")).unwrap();
        processes.start("sleeper", &mut shell("exec sleep 600")).unwrap();
        processes.start("short", &mut shell("exit 3")).unwrap();
        let error = loop {
            match processes.check() {
                Ok(_) => thread::sleep(Duration::from_millis(5)),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.starts_with("short ended by itself (exit status: 3)"), "{error}");
        let error = processes.start("missing", &mut Command::new("/no/such/program")).unwrap_err().to_string();
        assert!(error.starts_with("missing /no/such/program: "), "{error}");
    }
}
