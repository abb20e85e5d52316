//! The whole service in this process, on a real socket, with a manual clock, seeded randomness
//! and the simulator as its vehicle cloud.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keylend::app::{App, Halted, Parts};
use keylend::clock::{Clock, ManualClock};
use keylend::config::{
    Allowance, ApiVersions, Config, Database as DatabaseConfig, Limits, Origin, Origins, Record,
    Smartcar, Witnesses,
};
use keylend::domain::time::Timestamp;
use keylend::entropy::SeededEntropy;
use keylend::service::agreement::References;
use keylend::service::commands::reconcile;
use keylend::service::{Service, organizations};
use keylend::signing::keyring_file;
use keylend::storage::Location;
use keylend::storage::db::query;
use keylend::worker;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::actors::{Actor, Reply};
use super::cloud::Cloud;
use super::postgres::cluster;
use super::record;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "purple giraffes park sideways";
/// The organization's name in which stories play.
pub(crate) const ORGANIZATION: &str = "Story Drive";
/// What the connector waits for an answer.
pub(crate) const CONNECTOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Everything that can be granted.
pub(crate) const EVERYTHING: &[&str] = &[
    "unlock",
    "lock",
    "start_charge",
    "stop_charge",
    "set_charge_limit",
    "set_destination",
    "read_attributes",
    "read_vin",
    "read_location",
    "read_odometer",
    "read_battery",
    "read_charge",
    "read_fuel",
    "read_tires",
    "read_engine_oil",
    "read_lock_status",
    "read_diagnostics",
    "read_service_history",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// A running instance of the service.
struct Instance {
    service: Service,
    stop: CancellationToken,
    server: JoinHandle<Result<(), Halted>>,
    url: String,
}

/// The service under test, and the world around it.
pub(crate) struct TestApp {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) cloud: Cloud,
    pub(crate) http: reqwest::Client,
    config: Config,
    seed: AtomicU64,
    instances: Vec<Instance>,
    folder: TempDir,
}

/// The template of all PostgreSQL databases: migrated once.
async fn migrated_template() -> String {
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let url = tokio::task::spawn_blocking(|| cluster().create_database(None)).await;
            let url = url.unwrap();
            let limits = keylend::storage::PostgresSettings::default();
            let location = url.parse().unwrap();
            let db = keylend::storage::Db::open(&location, limits, false).await.unwrap();
            db.migrate().await.unwrap();
            db.close().await;
            url
        })
        .await
        .clone()
}

/// The URL of a new database with the newest schema; an SQLite file is migrated by its opener.
async fn database_url(database: Database, folder: &Path) -> String {
    match database {
        Database::Sqlite => format!("sqlite:{}", folder.join("keylend.db").display()),
        Database::Postgres => {
            let template = migrated_template().await;
            tokio::task::spawn_blocking(move || cluster().create_database(Some(&template)))
                .await
                .unwrap()
        }
    }
}

/// A client like an app's: it keeps connections and follows no redirect by itself.
pub(crate) fn http_client() -> reqwest::Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    #[expect(clippy::disallowed_methods, reason = "the tests play apps, not the service")]
    let builder = reqwest::Client::builder();
    builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(90))
        .build()
        .unwrap()
}

/// The moment at which every story begins.
pub(crate) fn the_beginning() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

impl TestApp {
    /// Starts the service on a fresh database, and a cloud with three cars.
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_as(database, |_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn start_as(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(the_beginning()));
        let cloud = Cloud::start(Arc::clone(&clock), folder.path().join("journal.jsonl")).await;
        let key_file = folder.path().join("keylend.keys");
        keyring_file::create(&key_file, &SeededEntropy::from_seed(0), clock.now()).unwrap();
        let simulator: Origin = cloud.url.parse().unwrap();
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: "http://keylend.test".parse().unwrap(),
            database: DatabaseConfig {
                location: database_url(database, folder.path()).await.parse().unwrap(),
                connections_max: 8,
            },
            key_file,
            record: Record {
                origin: record::ORIGIN.parse().unwrap(),
                reader_token: Some("reader-token".into()),
                witnesses: Witnesses::default(),
            },
            smartcar: Smartcar {
                client_id: "test".to_owned(),
                client_secret: SecretString::from("test"),
                origins: Origins::all_at(&simulator),
                timeout: CONNECTOR_TIMEOUT,
                api_versions: ApiVersions::V3First,
                v3_credentials: None,
                management_token: Some("sim-amt".into()),
            },
            limits: Limits {
                // All people of a story come from one address.
                visits_per_second: NonZeroU32::new(100_000).unwrap(),
                vehicle_requests: Allowance { burst: 100_000, per_minute: 100_000 },
                ..Limits::default()
            },
        };
        change(&mut config);
        let http = http_client();
        let seed = AtomicU64::new(1);
        let mut app = Self { clock, cloud, http, config, seed, instances: Vec::new(), folder };
        app.add_instance().await;
        let (organization, admin) = (ORGANIZATION, "admin@story.example");
        app.create_admin(organization, admin).await;
        app
    }

    /// Starts one more instance on the same database.
    pub(crate) async fn add_instance(&mut self) {
        let stop = CancellationToken::new();
        let seed = self.seed.fetch_add(1, Ordering::Relaxed);
        let clock: Arc<dyn Clock> = self.clock.clone();
        let entropy = Arc::new(SeededEntropy::from_seed(seed));
        // The server's clock is the machine's, and the story's is not.
        let parts = Parts { clock, entropy, create: true, references: References::Record };
        let app = App::assemble(&self.config, parts, stop.clone()).await.unwrap();
        app.migrate().await.unwrap();
        let listener = TcpListener::bind(self.config.listen).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = app.service.clone();
        #[expect(clippy::disallowed_methods, reason = "the handle is awaited in `finish`")]
        let server = tokio::spawn(app.serve_with(listener, false));
        self.instances.push(Instance { service, stop, server, url });
    }

    /// Where the database is, as the program's own commands are told.
    pub(crate) fn database_url(&self) -> String {
        match &self.config.database.location {
            Location::Sqlite(path) => format!("sqlite:{}", path.display()),
            Location::Postgres(url) => url.clone(),
        }
    }

    /// Stops every instance, copies the database as it is, and starts an instance again.
    pub(crate) async fn backup(&mut self) -> Location {
        self.stop().await;
        let copy = match &self.config.database.location {
            Location::Sqlite(path) => {
                let copy = path.with_extension("backup");
                std::fs::copy(path, &copy).unwrap();
                Location::Sqlite(copy)
            }
            Location::Postgres(url) => {
                let url = url.clone();
                let copied =
                    tokio::task::spawn_blocking(move || cluster().create_database(Some(&url)));
                copied.await.unwrap().parse().unwrap()
            }
        };
        self.add_instance().await;
        copy
    }

    /// Stops every instance and starts one on another database.
    pub(crate) async fn restore(&mut self, backup: Location) {
        self.stop().await;
        self.config.database.location = backup;
        self.add_instance().await;
    }

    /// Stops every instance and starts one with other settings.
    pub(crate) async fn change_settings(&mut self, change: impl FnOnce(&mut Config)) {
        self.stop().await;
        change(&mut self.config);
        self.add_instance().await;
    }

    /// Everything that the database holds: the bytes of the file and of its log, or the server's
    /// own dump.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        match self.config.database.location.clone() {
            Location::Sqlite(path) => {
                let log = path.with_extension("db-wal");
                [std::fs::read(&path).unwrap(), std::fs::read(log).unwrap_or_default()].concat()
            }
            Location::Postgres(url) => {
                let dump = tokio::task::spawn_blocking(move || cluster().dump(&url));
                dump.await.unwrap().into_bytes()
            }
        }
    }

    /// Changes the database, as somebody would who owns it.
    pub(crate) async fn execute(&self, sql: &'static str) {
        let mut tx = self.service().store.begin().await.unwrap();
        query(sql).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn stop(&mut self) {
        for instance in self.instances.drain(..) {
            instance.stop.cancel();
            instance.server.await.unwrap().unwrap();
        }
    }

    /// The first instance.
    pub(crate) fn url(&self) -> &str {
        &self.instances[0].url
    }

    /// Any instance.
    pub(crate) fn url_of(&self, instance: usize) -> &str {
        &self.instances[instance].url
    }

    /// The use cases of the first instance, for what no request can do.
    pub(crate) fn service(&self) -> &Service {
        &self.instances[0].service
    }

    /// The use cases of any instance.
    pub(crate) fn service_of(&self, instance: usize) -> &Service {
        &self.instances[instance].service
    }

    pub(crate) fn key_file(&self) -> &Path {
        &self.config.key_file
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Waits until no task is left of what was asked for.
    pub(crate) async fn idle(&self) {
        // The gate and the keeper of metrics go on for ever.
        while self.service().tasks.len() > 2 {
            tokio::task::yield_now().await;
        }
    }

    /// Runs every background task once.
    pub(crate) async fn run_workers(&self) {
        worker::run_once(self.service()).await.unwrap();
    }

    /// Lets everything that waits for a look at a car be settled.
    pub(crate) async fn settle(&self) {
        self.advance(Duration::from_secs(3));
        while reconcile::reconcile(self.service()).await.unwrap() > 0 {}
    }

    /// An administrator, as the operator makes them.
    pub(crate) async fn create_admin(&self, organization: &str, email: &str) -> Actor {
        organizations::create_admin(
            self.service(),
            organization,
            email.parse().unwrap(),
            "Ada Admin".parse().unwrap(),
            SecretString::from(PASSWORD),
        )
        .await
        .unwrap();
        self.sign_in(email).await
    }

    /// A person in a new session.
    pub(crate) async fn sign_in(&self, email: &str) -> Actor {
        let nobody = Actor::nobody(self);
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = nobody.post("/v1/sessions", body).await.expect(201);
        let mut actor = nobody.with_token(reply.text("access_token"));
        actor.id = actor.get("/v1/users/me").await.expect(200).text("user_id");
        actor
    }

    /// The administrator of the story's organization.
    pub(crate) async fn admin(&self) -> Actor {
        self.sign_in("admin@story.example").await
    }

    /// A member with this name, made by the administrator.
    pub(crate) async fn member(&self, name: &str) -> Actor {
        let email = format!("{name}@story.example");
        let body = json!({ "email": email, "display_name": name, "password": PASSWORD });
        self.admin().await.post("/v1/users", body).await.expect(201);
        self.sign_in(&email).await
    }

    /// An owner whose three cars are connected.
    pub(crate) async fn owner(&self) -> Actor {
        let mut owner = self.member("owner").await;
        self.connect(&mut owner).await;
        owner
    }

    /// An owner whose three cars are connected, and who permits everything that can be granted.
    pub(crate) async fn generous_owner(&self) -> Actor {
        let mut owner = self.member("owner").await;
        let everything = json!({ "entitlements": EVERYTHING });
        let started = owner.post("/v1/connections", everything).await.expect(201);
        self.pass_consent(&started.text("authorize_url")).await.expect(200);
        owner.vehicles = owner.get("/v1/vehicles").await.expect(200).list("vehicle_id");
        owner
    }

    /// A guest.
    pub(crate) async fn guest(&self) -> Actor {
        self.member("guest").await
    }

    /// A member who has nothing to do with anything.
    pub(crate) async fn stranger(&self) -> Actor {
        self.member("stranger").await
    }

    /// The administrator of another organization.
    pub(crate) async fn foreigner(&self) -> Actor {
        self.create_admin("Elsewhere", "admin@elsewhere.example").await
    }

    /// A machine with these scopes, as itself.
    pub(crate) async fn api_client(&self, scopes: &[&str]) -> Actor {
        let body = json!({ "name": "Backend", "scopes": scopes });
        let made = self.admin().await.post("/v1/api-clients", body).await.expect(201);
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", made.text("client_id")),
            ("client_secret", made.text("client_secret")),
        ];
        let answer = self.http.post(format!("{}/oauth/token", self.url())).form(&form);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let mut actor = Actor::nobody(self).with_token(answer["access_token"].as_str().unwrap());
        actor.id = made.text("api_client_id");
        actor
    }

    /// Connects the cloud's cars, as the owner's browser would.
    pub(crate) async fn connect(&self, owner: &mut Actor) {
        let started = owner.post("/v1/connections", json!({})).await.expect(201);
        self.pass_consent(&started.text("authorize_url")).await.expect(200);
        let vehicles = owner.get("/v1/vehicles").await.expect(200);
        owner.vehicles = vehicles.list("vehicle_id");
    }

    /// Follows a browser through the consent page and back to the service.
    pub(crate) async fn pass_consent(&self, authorize_url: &str) -> Reply {
        let consent = self.http.get(authorize_url).send().await.unwrap();
        let back = consent.headers()["location"].to_str().unwrap().to_owned();
        // The public address is a name only; the browser is led to the socket.
        let back = back.replace("http://keylend.test", self.url());
        let answer = self.http.get(back).header("accept", "application/json").send().await;
        Reply::read(answer.unwrap()).await
    }

    /// A number from the database, for checks that no request can make.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut reader = self.service().store.read().await.unwrap();
        query(sql).fetch_optional::<i64>(&mut reader).await.unwrap().unwrap()
    }

    /// Checks the record against what happened, and stops everything.
    pub(crate) async fn finish(self) {
        self.check_record().await;
        self.end().await;
    }

    /// Stops everything, where the database alone no longer holds the whole record.
    pub(crate) async fn end(mut self) {
        self.stop().await;
    }

    /// Every command has exactly the entries that its life asks for, and everything that a car
    /// executed was authorized.
    pub(crate) async fn check_record(&self) {
        let open = "SELECT CAST(COUNT(*) AS BIGINT) FROM commands WHERE status = 'sending'";
        assert_eq!(self.count(open).await, 0, "commands were left in flight");
        let unmatched = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT c.command_id FROM commands c \
            LEFT JOIN audit_entries a ON a.command_id = c.command_id \
            AND a.event IN ('command.authorized', 'command.refused') \
            GROUP BY c.command_id HAVING COUNT(a.entry_id) <> 1) AS unmatched";
        assert_eq!(self.count(unmatched).await, 0, "a decision is not in the record exactly once");
        let unsettled = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT c.command_id FROM commands c \
            LEFT JOIN audit_entries a ON a.command_id = c.command_id WHERE c.status <> 'refused' \
            GROUP BY c.command_id HAVING COUNT(a.entry_id) < 2) AS unsettled";
        assert_eq!(self.count(unsettled).await, 0, "an outcome is not in the record");
        let authorized =
            "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries WHERE event = 'command.authorized'";
        let executed = self.cloud.journal().await.len();
        let authorized = self.count(authorized).await;
        assert!(executed as i64 <= authorized, "{executed} executed, {authorized} authorized");
        record::sequence_and_sign(self.service()).await;
        let verified =
            record::verify(self.service()).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(verified.unsigned, 0);
    }
}
