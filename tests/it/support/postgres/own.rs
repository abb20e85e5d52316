//! A PostgreSQL server for one test alone, which may be killed, restarted, copied as a standby and
//! promoted. It keeps its port, as a server in the world does.

use super::*;

/// Their folders are named after the shared server's, so that they are swept away like it.
pub(super) const PREFIX: &str = "own-";
/// The database of such a server.
const DATABASE: &str = "keys";

/// A server of one test.
#[derive(Debug)]
pub(crate) struct OwnServer {
    programs: PathBuf,
    /// Its data, its log and its socket.
    folder: PathBuf,
    owner: Owner,
    port: u16,
    password: String,
    pid: Option<u32>,
}

impl OwnServer {
    /// Makes a server with an empty database and starts it.
    pub(crate) fn start() -> Self {
        let mut server = Self::prepare(new_password());
        initdb(&server.programs, &server.folder, &server.owner, &server.password);
        server.run();
        server.sql("postgres", &format!("CREATE DATABASE {DATABASE}"));
        server
    }

    fn prepare(password: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{FOLDER_PREFIX}{PREFIX}{}", std::process::id());
        let shared = parent_folder();
        sweep_once(&shared);
        let parent = shared.join(name);
        let folder = parent.join(number.to_string());
        fs::DirBuilder::new().recursive(true).mode(0o755).create(&parent).expect("a folder");
        fs::DirBuilder::new().mode(0o700).create(&folder).expect("a new folder");
        let owner = Owner::of(&folder);
        Self { programs: find_programs(), folder, owner, port: free_port(), password, pid: None }
    }

    /// Starts the server on its data.
    pub(crate) fn run(&mut self) {
        assert_eq!(self.pid, None, "it is running");
        let settings = [
            "max_connections=60",
            "wal_keep_size=128",
            "hot_standby=on",
            // A standby that has just lost its primary sleeps so long before it lets itself be promoted.
            "wal_retrieve_retry_interval=200ms",
        ];
        let attempt =
            |_| start_server(&self.programs, &self.folder, &self.owner, self.port, &settings);
        // The processes of one that was killed may need a moment to notice.
        self.pid = (0..START_ATTEMPTS).find_map(attempt);
        assert!(self.pid.is_some(), "PostgreSQL does not start:\n{}", read_log(&self.folder));
    }

    /// Kills the server's first process as a crash would; the others end by themselves.
    pub(crate) fn kill(&mut self) {
        let pid = self.pid.take().expect("it is running");
        run(Command::new("kill").args(["-KILL", &pid.to_string()]));
    }

    /// Stops the server at once, without a word to its clients.
    pub(crate) fn stop(&mut self) {
        if self.pid.take().is_some() {
            self.control(&["stop", "--mode=immediate", "--wait"]);
        }
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = self.owner.command(&self.programs.join("pg_ctl"));
        run(command.arg("--pgdata").arg(self.folder.join("data")).args(arguments));
    }

    /// Makes another server that follows this one.
    pub(crate) fn new_standby(&self) -> Self {
        let mut standby = Self::prepare(self.password.clone());
        standby.copy(self);
        standby
    }

    /// Throws this server's data away and makes it follow another one.
    pub(crate) fn follow(&mut self, primary: &Self) {
        self.stop();
        fs::remove_dir_all(self.folder.join("data")).expect("our own folder");
        self.copy(primary);
    }

    fn copy(&mut self, primary: &Self) {
        let mut command = self.owner.command(&primary.programs.join("pg_basebackup"));
        command.arg("--pgdata").arg(self.folder.join("data")).arg("--host").arg(&primary.folder);
        command.args(["--port", &primary.port.to_string(), "--username", USER]);
        command.args(["--checkpoint=fast", "--write-recovery-conf", "--wal-method=stream"]);
        run(command.arg("--no-sync"));
        self.run();
    }

    /// From now on commits wait for a standby, or for none.
    pub(crate) fn wait_for_standby(&self, does: bool) {
        let names = if does { "*" } else { "" };
        self.sql("postgres", &format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"));
        self.sql("postgres", "SELECT pg_reload_conf()");
        let synchronous = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let set = format!("SELECT current_setting('synchronous_standby_names') = '{names}'");
        for _ in 0..10_000 {
            if self.sql("postgres", &set) == "t\n"
                && (!does || self.sql("postgres", synchronous) == "1\n")
            {
                return;
            }
            thread::yield_now();
        }
        panic!("no standby follows:\n{}", read_log(&self.folder));
    }

    /// Lets a standby, once it is the primary, commit without one: the copy has that setting too.
    pub(crate) fn wait_for_nobody_once_promoted(&self) {
        let path = self.folder.join("data/postgresql.auto.conf");
        let mut file = File::options().append(true).open(path).expect("the server's settings");
        writeln!(file, "synchronous_standby_names = ''").expect("a file that can be written");
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        self.control(&["promote", "--wait"]);
    }

    /// Runs statements as the superuser, and gives what they print.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        run(&mut self.psql(database, sql))
    }

    /// `psql` that runs statements, to be started.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> Command {
        let mut command = self.session(database);
        command.args(["--command", sql]);
        command
    }

    /// A session that takes its statements from standard input, and lives as long as that is open.
    pub(crate) fn session(&self, database: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        // Whatever the role's sessions are by default, the superuser's can write.
        command.env("PGOPTIONS", "-c default_transaction_read_only=off");
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        command.args(["--set=ON_ERROR_STOP=1", "--username", USER, "--dbname", database]);
        command.arg(format!("--host={}", self.folder.display()));
        command.arg(format!("--port={}", self.port));
        command
    }

    /// The database's name.
    pub(crate) const fn database(&self) -> &'static str {
        DATABASE
    }

    /// Its address, for a proxy.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        std::net::SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The URL of its database.
    pub(crate) fn url(&self) -> String {
        self.url_with(&[self.port])
    }

    /// The URL that names this server and others of the same database.
    pub(crate) fn url_of_all(&self, others: &[&Self]) -> String {
        let others = others.iter().map(|other| other.port);
        self.url_with(&std::iter::once(self.port).chain(others).collect::<Vec<_>>())
    }

    /// The URL of its database by way of these ports.
    pub(crate) fn url_with(&self, ports: &[u16]) -> String {
        let mut hosts = String::new();
        for port in ports {
            let comma = if hosts.is_empty() { "" } else { "," };
            hosts.push_str(&format!("{comma}127.0.0.1:{port}"));
        }
        let password = &self.password;
        format!("postgres://{USER}:{password}@{hosts}/{DATABASE}?sslmode=disable")
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stop();
            fs::remove_dir_all(&self.folder).expect("our own folder");
        } else if let Some(pid) = self.pid.take() {
            // What it said stays, for whoever looks into the failure.
            let _ = Command::new("kill").args(["-QUIT", &pid.to_string()]).status();
        }
    }
}
