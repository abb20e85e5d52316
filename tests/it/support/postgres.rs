//! A throwaway PostgreSQL, one for the whole test process.
//!
//! `initdb` makes it in a temporary folder and it ends with the process, however the process
//! ends. Tests share the server and never a database. If the machine has no PostgreSQL the tests
//! fail and say what to install: a skipped test proves nothing. It knows Linux alone, because it
//! relies on the kernel to end the server (`setpriv --pdeathsig`).

pub(crate) mod own;
mod tests;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use keylend::entropy::{Entropy, OsEntropy};

const VERSION_MIN: u32 = 15;
const INSTALL: &str = "install it (on Debian: `apt-get install postgresql`), or run \
                       scripts/install-test-tools";
const USER: &str = "keylend";
const FOLDER_PREFIX: &str = "keylend-pg-";
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Another process may take the free port before the server does.
const START_ATTEMPTS: u32 = 5;

/// The server of this test process; the first call starts it.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    password: String,
    databases: AtomicU32,
}

impl Cluster {
    /// Makes a database, empty or as a copy of `template`, and gives its URL. Nobody may be
    /// connected to the template while it is copied. `template` is a database's name or its URL.
    ///
    /// The URL leads over the server's socket, which asks for no password: the folder it lies in
    /// is closed to others. [`Cluster::over_tcp`] gives the way over TCP.
    pub(crate) fn create_database(&self, template: Option<&str>) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let template = template.map_or("template0", database_name);
        self.admin(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        let (folder, port) = (self.folder.display(), self.port);
        format!("postgres://{USER}@localhost:{port}/{name}?host={folder}")
    }

    /// The same database, over TCP on the loopback: for tests that stand between client and
    /// server, and for clients that know no sockets.
    pub(crate) fn over_tcp(&self, url: &str) -> String {
        let (password, port, name) = (&self.password, self.port, database_name(url));
        format!("postgres://{USER}:{password}@127.0.0.1:{port}/{name}?sslmode=disable")
    }

    /// Runs one statement as the superuser, and gives what it prints.
    pub(crate) fn admin(&self, sql: &str) -> String {
        run(Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set=ON_ERROR_STOP=1", "--dbname=postgres", "--username", USER])
            .arg(format!("--host={}", self.folder.display()))
            .arg(format!("--port={}", self.port))
            .args(["--command", sql]))
    }

    /// Everything in a database, as a text.
    pub(crate) fn dump(&self, url: &str) -> String {
        run(Command::new(self.programs.join("pg_dump"))
            .args(["--inserts", "--dbname", database_name(url), "--username", USER])
            .arg(format!("--host={}", self.folder.display()))
            .arg(format!("--port={}", self.port)))
    }

    fn start() -> Self {
        let programs = find_programs();
        let parent = parent_folder();
        sweep_once(&parent);
        let folder = parent.join(format!("{FOLDER_PREFIX}{}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&folder).expect("a new temporary folder");
        let owner = Owner::of(&folder);
        let password = new_password();
        initdb(&programs, &folder, &owner, &password);

        // Nothing here outlives the machine.
        let settings = ["synchronous_commit=off", "max_connections=300"];
        let port = (0..START_ATTEMPTS)
            .map(|_| free_port())
            .find(|&port| start_server(&programs, &folder, &owner, port, &settings).is_some())
            .unwrap_or_else(|| panic!("PostgreSQL does not start:\n{}", read_log(&folder)));
        Self { programs, folder, port, password, databases: AtomicU32::new(0) }
    }
}

/// The last segment of a URL's path; a plain name is its own.
fn database_name(url: &str) -> &str {
    let path = url.split_once('?').map_or(url, |(path, _)| path);
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whom the server runs as: PostgreSQL refuses to be root.
#[derive(Debug)]
struct Owner {
    /// The user and group to change to; `None` is to stay who we are.
    change_to: Option<(u32, u32)>,
}

impl Owner {
    /// Decides from who made `folder`, and gives the folder to the one who is chosen.
    fn of(folder: &Path) -> Self {
        let is_root = fs::metadata(folder).expect("the folder was just made").uid() == 0;
        let change_to = is_root.then(|| {
            let id = |flag| run(Command::new("id").args([flag, "postgres"])).trim().parse();
            (id("-u").expect("a user id"), id("-g").expect("a group id"))
        });
        let owner = Self { change_to };
        owner.take(folder);
        owner
    }

    fn take(&self, path: &Path) {
        if let Some((user, group)) = self.change_to {
            chown(path, Some(user), Some(group)).expect("root may give files away");
        }
    }

    /// `program` as this user, told to stop when the thread that starts it ends.
    fn command(&self, program: &Path) -> Command {
        // A shell that starts the tests in the background makes them ignore the signal, and what
        // ignores it when it starts goes on ignoring it.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", "setpriv"]);
        if let Some((user, group)) = self.change_to {
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
            command.arg("--clear-groups");
        }
        command.args(["--pdeathsig", "INT", "--"]).arg(program);
        // Messages are read below, so they must be in one language.
        command.env("LC_ALL", "C").current_dir("/");
        command
    }
}

/// A new one each time: other users of the machine can reach the TCP port.
fn new_password() -> String {
    let mut bytes = [0; 16];
    OsEntropy::default().fill(&mut bytes).expect("the system has randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn initdb(programs: &Path, folder: &Path, owner: &Owner, password: &str) {
    let password_file = folder.join("password");
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&password_file)
        .expect("a file in our own folder");
    writeln!(file, "{password}").expect("a file that can be written");
    owner.take(&password_file);

    let mut command = owner.command(&programs.join("initdb"));
    command.arg("--pgdata").arg(folder.join("data")).arg("--pwfile").arg(&password_file);
    command.args(["--username", USER, "--encoding=UTF8", "--locale=C", "--no-sync"]);
    // "password" and not SCRAM: the client's half of SCRAM is slow in an unoptimized build.
    command.args(["--auth-local=trust", "--auth-host=password"]);
    run(&mut command);
}

/// Starts the server and waits until it says that it is ready, which gives its process id; `None`
/// if it ends before that.
///
/// The kernel ends the server when the thread that started it ends, so that thread stays: it
/// copies the server's messages to a file until there are no more.
fn start_server(
    programs: &Path,
    folder: &Path,
    owner: &Owner,
    port: u16,
    more: &[&str],
) -> Option<u32> {
    let mut command = owner.command(&programs.join("postgres"));
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    let settings = [
        // A process that is killed loses nothing that it gave to the system.
        "fsync=off",
        "full_page_writes=off",
        // It would stand in the way when a template is copied.
        "autovacuum=off",
        "logging_collector=off",
        "log_destination=stderr",
        "log_min_messages=warning",
    ];
    for setting in settings.iter().chain(more) {
        command.args(["-c", setting]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());

    let log = File::options().create(true).append(true).open(folder.join("log")).expect("a log");
    let (ready, wait_for_ready) = mpsc::channel();
    thread::Builder::new()
        .name("postgres".into())
        .spawn(move || keep_server(&mut command, log, &ready))
        .expect("a thread");
    match wait_for_ready.recv_timeout(START_TIMEOUT) {
        Ok(pid) => Some(pid),
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            panic!("PostgreSQL is not ready after {START_TIMEOUT:?}:\n{}", read_log(folder))
        }
    }
}

fn keep_server(command: &mut Command, mut log: File, ready: &mpsc::Sender<u32>) {
    let mut server: Child =
        command.spawn().expect("env and setpriv (on Debian: coreutils, util-linux) are there");
    let messages = server.stderr.take().expect("stderr is a pipe");
    for line in BufReader::new(messages).lines().map_while(Result::ok) {
        // A log that cannot be written must not end the server.
        let _ = writeln!(log, "{line}");
        // A standby is ready to accept read-only connections.
        if line.contains("database system is ready to accept") {
            let _ = ready.send(server.id());
        }
    }
    let _ = server.wait();
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn read_log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// Memory if there is some to write to, else the usual place.
fn parent_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    match tempfile::tempfile_in(memory) {
        Ok(_) => memory.to_owned(),
        Err(_) => std::env::temp_dir(),
    }
}

/// Sweeps before this process makes its first folder, and never again: from then on what bears its
/// number is in use.
fn sweep_once(parent: &Path) {
    static SWEPT: OnceLock<()> = OnceLock::new();
    SWEPT.get_or_init(|| sweep(parent));
}

/// Removes what test processes that are gone have left, also one that had the number of this one.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).expect("a readable folder").map_while(Result::ok) {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(FOLDER_PREFIX)) else {
            continue;
        };
        let pid = pid.strip_prefix(own::PREFIX).unwrap_or(pid);
        let is_own = pid == std::process::id().to_string();
        if is_own || (pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()) {
            // Somebody else's stays; another process may be sweeping too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder with the newest `initdb`, `postgres` and `psql` that will do.
fn find_programs() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "PATH is where programs are, not a setting")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Debian leaves the server's programs out of PATH.
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.map_while(Result::ok).map(|version| version.path().join("bin")));
    }
    let newest = folders
        .iter()
        .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
        .filter_map(|initdb| initdb.parent().map(Path::to_owned))
        .filter(|folder| folder.join("postgres").exists() && folder.join("psql").exists())
        .filter_map(|folder| Some((major_version(&folder)?, folder)))
        .filter(|(version, _)| *version >= VERSION_MIN)
        .max();
    match newest {
        Some((_, folder)) => folder,
        None => panic!("no PostgreSQL server of version {VERSION_MIN} or newer: {INSTALL}"),
    }
}

/// From "postgres (PostgreSQL) 15.18 (Debian …)" or "postgres (PostgreSQL) 19beta1".
fn major_version(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text.split_whitespace().nth(2)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Runs a command to its end; anything but success fails the test with what was said.
fn run(command: &mut Command) -> String {
    let output: io::Result<_> = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}: {INSTALL}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
