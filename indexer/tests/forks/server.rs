//! A PostgreSQL server for a test: the one that `BALLAST_TEST_POSTGRES_URL` names, or a private one in a temporary folder,
//! reached by a local socket only.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ballast_indexer::db::Place;
use tempfile::TempDir;

/// Longer than a server takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server. Dropping it ends a private one.
pub struct Server {
    /// URL of everything but the database, with a `*` in its place.
    url: String,
    private: Option<Private>,
}

struct Private {
    child: Child,
    folder: TempDir,
    postgres: PathBuf,
    user: Option<(u32, u32)>,
}

impl Private {
    fn stop(&mut self) {
        // An order to stop now; killed, it would leave shared memory behind.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Starts a server in a folder.
fn serve(postgres: &Path, user: Option<(u32, u32)>, folder: &Path) -> Child {
    command(postgres, user)
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
        .arg(folder)
        .arg("-D")
        .arg(folder.join("data"))
        .current_dir(folder)
        .spawn()
        .unwrap()
}

/// Where Debian keeps a program of the server, or the path.
fn program(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let debian = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = debian.chain(std::env::split_paths(&path)).collect();
    folders.into_iter().map(|folder| folder.join(name)).find(|program| program.exists())
}

/// A number of the user `postgres`, for the server does not run as root.
fn number(flag: &str) -> Option<u32> {
    let output = Command::new("id").args([flag, "postgres"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A command of the server's, as a user that it accepts.
fn command(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Server {
    /// A server, or why there is none.
    pub fn start() -> Result<Server, String> {
        if let Ok(url) = std::env::var("BALLAST_TEST_POSTGRES_URL") {
            assert!(url.contains('*'), "BALLAST_TEST_POSTGRES_URL has a * for the database: postgres://me@host/*");
            return Ok(Server { url, private: None });
        }
        let (Some(initdb), Some(postgres)) = (program("initdb"), program("postgres")) else {
            return Err("no PostgreSQL server is installed, and BALLAST_TEST_POSTGRES_URL names none".to_string());
        };
        let folder = TempDir::new().unwrap();
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        let user = match (is_root, number("-u"), number("-g")) {
            (false, _, _) => None,
            (true, Some(user), Some(group)) => Some((user, group)),
            _ => return Err("a PostgreSQL server does not run as root, and there is no user postgres".to_string()),
        };
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let made = command(&initdb, user)
            .args(["--username", "test", "--auth", "trust", "--no-sync", "--locale", "C", "--encoding", "UTF8", "-D"])
            .arg(&data)
            .current_dir(folder.path())
            .status()
            .unwrap();
        assert!(made.success(), "{initdb:?} failed");
        let child = serve(&postgres, user, folder.path());
        let url = format!("postgres://test@/*?host={}", folder.path().display());
        let server = Server { url, private: Some(Private { child, folder, postgres, user }) };
        server.await_start();
        Ok(server)
    }

    fn await_start(&self) {
        let began = Instant::now();
        while let Err(error) = Place::parse(&self.database("postgres")).unwrap().connect() {
            assert!(began.elapsed() < PATIENCE, "the server does not start: {error}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops a private server at once, and starts it again. Whether it is one.
    pub fn restart(&mut self) -> bool {
        let Some(private) = &mut self.private else { return false };
        private.stop();
        private.child = serve(&private.postgres, private.user, private.folder.path());
        self.await_start();
        true
    }

    /// URL of a database.
    fn database(&self, name: &str) -> String {
        self.url.replace('*', name)
    }

    /// URL of a new, empty database.
    pub fn create(&self, name: &str) -> String {
        let mut db = Place::parse(&self.database("postgres")).unwrap().connect().unwrap();
        db.script(&format!("DROP DATABASE IF EXISTS {name}")).unwrap();
        db.script(&format!("CREATE DATABASE {name}")).unwrap();
        self.database(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(private) = &mut self.private {
            private.stop();
        }
    }
}
