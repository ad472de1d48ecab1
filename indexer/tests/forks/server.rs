//! A PostgreSQL server for a test: the one that `BALLAST_TEST_POSTGRES_URL` names, or a private one in a temporary folder,
//! reached by a local socket only, or over TLS as well.

use std::{
    fs::OpenOptions,
    io::Write,
    net::TcpListener,
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

/// A private server that speaks TLS on this machine.
pub struct Tls {
    /// The server.
    pub server: Server,
    /// Its port.
    pub port: u16,
    /// Its certificate, for `localhost`, which it has signed itself.
    pub certificate: PathBuf,
    /// A certificate of nobody's.
    pub other: PathBuf,
}

/// What makes a private server, and whom it runs as.
struct Made {
    folder: TempDir,
    postgres: PathBuf,
    user: Option<(u32, u32)>,
}

struct Private {
    child: Child,
    made: Made,
}

impl Private {
    fn stop(&mut self) {
        // An order to stop now; killed, it would leave shared memory behind.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
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

impl Made {
    /// A new cluster of databases in a temporary folder, or why there can be none.
    fn new() -> Result<Made, String> {
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
        let made = command(&initdb, user)
            .args(["--username", "test", "--auth", "trust", "--no-sync", "--locale", "C", "--encoding", "UTF8", "-D"])
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            .status()
            .unwrap();
        assert!(made.success(), "{initdb:?} failed");
        // A local socket only, unless told otherwise later.
        let mut settings = OpenOptions::new().append(true).open(folder.path().join("data/postgresql.conf")).unwrap();
        settings.write_all(b"listen_addresses = ''\nfsync = off\n").unwrap();
        Ok(Made { folder, postgres, user })
    }

    fn serve(&self) -> Child {
        command(&self.postgres, self.user)
            .arg("-k")
            .arg(self.folder.path())
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .current_dir(self.folder.path())
            .spawn()
            .unwrap()
    }

    /// A certificate for `localhost` that nobody else has signed, with its key beside it.
    fn certificate(&self, name: &str) -> Result<PathBuf, String> {
        let openssl = program("openssl").ok_or("there is no openssl to make a certificate")?;
        let made = command(&openssl, self.user)
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
            .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
            .current_dir(self.folder.path())
            .status()
            .unwrap();
        assert!(made.success(), "openssl failed");
        Ok(self.folder.path().join(format!("{name}.pem")))
    }
}

impl Server {
    /// A server, or why there is none.
    pub fn start() -> Result<Server, String> {
        if let Ok(url) = std::env::var("BALLAST_TEST_POSTGRES_URL") {
            assert!(url.contains('*'), "BALLAST_TEST_POSTGRES_URL has a * for the database: postgres://me@host/*");
            return Ok(Server { url, private: None });
        }
        let server = Server::of(Made::new()?);
        server.await_start();
        Ok(server)
    }

    /// A private server that speaks TLS, or why there is none. Its user `reader` has to use it, and give a password.
    pub fn start_with_tls() -> Result<Tls, String> {
        let made = Made::new()?;
        let certificate = made.certificate("server")?;
        let other = made.certificate("other")?;
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
        let (data, folder) = (made.folder.path().join("data"), made.folder.path().display().to_string());
        let settings = format!(
            "ssl = on\nssl_cert_file = '{folder}/server.pem'\nssl_key_file = '{folder}/server.key'\n\
             listen_addresses = '127.0.0.1'\nport = {port}\n"
        );
        let mut file = OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        let trusting = std::fs::read_to_string(data.join("pg_hba.conf")).unwrap();
        let demanding = "hostssl all reader all scram-sha-256\nhost all reader all reject\n";
        std::fs::write(data.join("pg_hba.conf"), format!("{demanding}{trusting}")).unwrap();
        let mut server = Server::of(made);
        server.url = format!("{}&port={port}", server.url);
        server.await_start();
        Ok(Tls { server, port, certificate, other })
    }

    fn of(made: Made) -> Server {
        let url = format!("postgres://test@/*?host={}", made.folder.path().display());
        Server { url, private: Some(Private { child: made.serve(), made }) }
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
        private.child = private.made.serve();
        self.await_start();
        true
    }

    /// URL of a database.
    pub fn database(&self, name: &str) -> String {
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
