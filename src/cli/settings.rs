//! Every setting of the service: a flag, and an environment variable of the same name. What they
//! mean is checked here, once, before anything starts.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{
    Config, Database, LogFormat, LogName, LogOrigin, Logging, Network, PublicUrl, Record,
    WitnessAddress, Witnesses,
};
use crate::storage::Location;

mod address;
mod invalid;
mod limits;
mod secrets;
mod smartcar;

pub use address::listen_address;
use invalid::Faults;
pub use invalid::{InvalidSetting, InvalidSettings};
pub use limits::LimitSettings;
use smartcar::SIMULATED_CLIENT;
pub use smartcar::{SmartcarSettings, VersionsSetting};

/// The settings of `keylend serve`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address and port to listen at.
    #[arg(long, env = "KEYLEND_LISTEN", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub listen: SocketAddr,

    /// Address and port at which /metrics and /readyz are served, and then only there; by default
    /// where clients are.
    #[arg(long, env = "KEYLEND_OPERATIONS_LISTEN", value_name = "ADDRESS", value_parser = listen_address)]
    pub operations_listen: Option<SocketAddr>,

    /// Where clients reach the service; by default where it listens.
    #[arg(long, env = "KEYLEND_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Where clients reached it before, several separated by commas: tokens that were issued there stay
    /// valid until they expire.
    #[arg(long, env = "KEYLEND_EARLIER_PUBLIC_URLS", value_name = "URL", value_delimiter = ',')]
    pub earlier_public_urls: Vec<PublicUrl>,

    /// Start although clients on other machines are to reach the service at an http:// address, so
    /// that anybody between can read passwords and tokens.
    #[arg(long, env = "KEYLEND_PUBLIC_URL_INSECURE")]
    pub public_url_insecure: bool,

    /// Proxies that are believed when they say in Forwarded or X-Forwarded-For whose request it is:
    /// addresses or networks, several separated by commas.
    #[arg(long, env = "KEYLEND_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// Private networks in which webhook endpoints are allowed, there also with http:// and at every port: addresses or networks,
    /// several separated by commas.
    #[arg(
        long,
        env = "KEYLEND_WEBHOOK_NETWORKS_ALLOWED",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub webhook_networks_allowed: Vec<Network>,

    /// The keys.
    #[command(flatten)]
    pub key_file: KeyFileSetting,

    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// The vehicle cloud.
    #[command(flatten)]
    pub smartcar: SmartcarSettings,

    /// How the record is signed.
    #[command(flatten)]
    pub record: RecordSettings,

    /// How much the service takes on.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// Commands and consents that are over are forgotten after so many days, and with commands their
    /// idempotency keys; the record keeps what it says of them.
    #[arg(long, env = "KEYLEND_KEPT_DAYS", value_name = "DAYS", default_value = "90")]
    pub kept_days: NonZeroU16,
}

/// How the record is signed.
#[derive(Debug, Clone, Args)]
pub struct RecordSettings {
    /// Name of the record in its checkpoints; by default where clients reached the service when it
    /// began, without the scheme, and /log. It never changes.
    #[arg(long, env = "KEYLEND_RECORD_ORIGIN", value_name = "NAME")]
    pub record_origin: Option<LogOrigin>,

    /// Secret with which the entries of every organization can be read at /log/entries, for the
    /// operator's own copy of the record; without it nobody can.
    #[arg(
        long,
        env = "KEYLEND_RECORD_READER_TOKEN",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub record_reader_token: Option<SecretString>,

    /// File that holds this secret.
    #[arg(long, env = "KEYLEND_RECORD_READER_TOKEN_FILE", value_name = "PATH")]
    pub record_reader_token_file: Option<PathBuf>,

    /// Who watches it.
    #[command(flatten)]
    pub witnesses: WitnessSettings,
}

/// The witnesses of the record.
#[derive(Debug, Clone, Args)]
pub struct WitnessSettings {
    /// Witnesses of the record, as VKEY=URL: several separated by spaces.
    #[arg(long, env = "KEYLEND_RECORD_WITNESSES", value_name = "VKEY=URL", value_delimiter = ' ')]
    pub record_witnesses: Vec<WitnessAddress>,

    /// So many witnesses must have cosigned a checkpoint before it is shown at /log/checkpoint; 1
    /// unless said otherwise. 0 shows every checkpoint at once.
    #[arg(long, env = "KEYLEND_RECORD_WITNESSES_MIN", value_name = "COUNT")]
    pub record_witnesses_min: Option<usize>,
}

impl RecordSettings {
    /// Nothing if a part is wrong, or if the name would follow from a public address that is.
    fn into_config(self, public_url: Option<&PublicUrl>, faults: &mut Faults) -> Option<Record> {
        let of_address = |url| LogOrigin::of(url).map_err(InvalidSetting::from);
        let name = match self.record_origin {
            Some(origin) => Some(LogName::Set(origin)),
            None => public_url.and_then(|url| faults.good(of_address(url))).map(LogName::Following),
        };
        let reader_token = faults.good(secrets::unguessable(
            "KEYLEND_RECORD_READER_TOKEN",
            self.record_reader_token,
            self.record_reader_token_file,
        ));
        let witnesses = faults.good(self.witnesses.into_config());
        Some(Record { name: name?, reader_token: reader_token?, witnesses: witnesses? })
    }
}

impl WitnessSettings {
    /// The witnesses, if they can be together.
    ///
    /// # Errors
    /// [`InvalidSetting::RecordWitnesses`] if two have the same name or more must cosign than there are.
    pub fn into_config(self) -> Result<Witnesses, InvalidSetting> {
        Ok(Witnesses::new(self.record_witnesses, self.record_witnesses_min)?)
    }
}

/// The setting of whatever uses the keys.
#[derive(Debug, Clone, Args)]
pub struct KeyFileSetting {
    /// File with the signing and sealing keys.
    #[arg(long, env = "KEYLEND_KEY_FILE", value_name = "PATH", default_value = "keylend.keys")]
    pub key_file: PathBuf,
}

/// The settings of whatever opens the database.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// sqlite:PATH or postgres://USER@HOST/NAME; several servers of one database with commas,
    /// postgres://USER@HOST:PORT,HOST:PORT/NAME. By default sqlite:keylend.db.
    #[arg(long, env = "KEYLEND_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<Location>,

    /// File that holds the URL, because it may hold a password.
    #[arg(long, env = "KEYLEND_DATABASE_URL_FILE", value_name = "PATH")]
    pub database_url_file: Option<PathBuf>,

    /// At most so many connections to a Postgres server.
    #[arg(
        long,
        env = "KEYLEND_DATABASE_CONNECTIONS_MAX",
        value_name = "COUNT",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub database_connections_max: u32,
}

/// The settings of the log, for every command.
#[derive(Debug, Clone, Args)]
pub struct LogSettings {
    /// What is logged, such as info,keylend=debug; info if not given, and warn in the demo, which tells its story itself.
    #[arg(long = "log", env = "KEYLEND_LOG", value_name = "FILTER", global = true)]
    pub filter: Option<String>,

    /// Form of the log.
    #[arg(
        long = "log-format",
        env = "KEYLEND_LOG_FORMAT",
        value_enum,
        default_value = "text",
        global = true
    )]
    pub format: LogForm,
}

/// The forms of the log on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// The settings as checked values, for a command that never talks to the vehicle cloud: what
    /// is not set about it does not matter.
    ///
    /// # Errors
    /// [`InvalidSettings`] names everything that does not fit.
    pub fn into_offline_config(mut self) -> Result<Config, InvalidSettings> {
        let smartcar = &mut self.smartcar;
        smartcar.smartcar_client_id.get_or_insert_with(|| SIMULATED_CLIENT.to_owned());
        if smartcar.smartcar_client_secret_file.is_none() {
            smartcar.smartcar_client_secret.get_or_insert_with(|| SIMULATED_CLIENT.into());
        }
        self.into_config()
    }

    /// The settings as checked values.
    ///
    /// # Errors
    /// [`InvalidSettings`] names everything that does not fit.
    pub fn into_config(self) -> Result<Config, InvalidSettings> {
        let mut faults = Faults::default();
        let config = self.checked(&mut faults);
        config.ok_or_else(|| faults.into())
    }

    fn checked(self, faults: &mut Faults) -> Option<Config> {
        let public_url = faults.good(self.public_url.map_or_else(|| address_of(self.listen), Ok));
        let is_in_clear = |url: &&PublicUrl| url.is_in_clear() && !self.public_url_insecure;
        if let Some(url) = public_url.as_ref().filter(is_in_clear) {
            faults.note(InvalidSetting::PublicUrlInClear(url.as_str().to_owned()));
        }
        let record = self.record.into_config(public_url.as_ref(), faults);
        let database = faults.good(self.database.into_config());
        let smartcar = self.smartcar.into_config(faults);
        if faults.are_some() {
            return None;
        }
        Some(Config {
            listen: self.listen,
            operations_listen: self.operations_listen,
            record: record?,
            public_url: public_url?,
            earlier_public_urls: self.earlier_public_urls,
            trusted_proxies: self.trusted_proxies.into(),
            webhook_networks: self.webhook_networks_allowed.into(),
            database: database?,
            key_file: self.key_file.key_file,
            smartcar: smartcar?,
            limits: self.limits.into_config(),
            kept: Duration::from_secs(u64::from(self.kept_days.get()) * 24 * 60 * 60),
        })
    }
}

/// Everywhere is no address to send anybody to, and port 0 is not known yet.
fn address_of(listen: SocketAddr) -> Result<PublicUrl, InvalidSetting> {
    let invalid = InvalidSetting::PublicUrl(listen);
    if listen.ip().is_unspecified() || listen.port() == 0 {
        return Err(invalid);
    }
    format!("http://{listen}").parse().map_err(|_| invalid)
}

impl DatabaseSettings {
    /// Where the data is unless something else is said.
    const LOCATION_DEFAULT: &str = "sqlite:keylend.db";

    /// The settings as checked values.
    ///
    /// # Errors
    /// [`InvalidSetting`] if the URL is given twice, or its file does not hold one.
    pub fn into_config(self) -> Result<Database, InvalidSetting> {
        let location = match (self.database_url, self.database_url_file) {
            (Some(_), Some(_)) => return Err(InvalidSetting::Both("KEYLEND_DATABASE_URL")),
            (Some(location), None) => location,
            (None, None) => Self::LOCATION_DEFAULT.parse()?,
            (None, Some(path)) => {
                secrets::read("KEYLEND_DATABASE_URL", &path)?.expose_secret().parse()?
            }
        };
        Ok(Database { location, connections_max: self.database_connections_max })
    }
}

impl LogSettings {
    /// The settings as checked values; what is logged if they do not say depends on the command.
    #[must_use]
    pub fn into_config(self, otherwise: &str) -> Logging {
        Logging {
            filter: self.filter.unwrap_or_else(|| otherwise.to_owned()),
            format: match self.format {
                LogForm::Text => LogFormat::Text,
                LogForm::Json => LogFormat::Json,
            },
        }
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
