//! Every setting of the service: a flag, and an environment variable of the same name. What they
//! mean is checked here, once, before anything starts.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use secrecy::SecretString;

use crate::config::{
    Allowance, ApiVersions, Config, Credentials, Database, Limits, LogFormat, Logging, Origin,
    Origins, PublicUrl, Smartcar,
};
use crate::storage::Location;

/// A simulator takes any id and secret.
const SIMULATED_CLIENT: &str = "simulated";

/// Why the settings do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// A setting is missing that nothing else makes up for.
    #[error(
        "{0} is not set: give the credentials of a Smartcar application, \
         or the address of a simulator as KEYLEND_SIMULATOR_URL"
    )]
    Missing(&'static str),
    /// The address to listen at is nothing that clients could be sent to.
    #[error("KEYLEND_PUBLIC_URL is not set, and no address follows from KEYLEND_LISTEN={0}")]
    PublicUrl(SocketAddr),
}

/// The settings of `keylend serve`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address and port to listen at.
    #[arg(long, env = "KEYLEND_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Where clients reach the service; by default where it listens.
    #[arg(long, env = "KEYLEND_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// The keys.
    #[command(flatten)]
    pub key_file: KeyFileSetting,

    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// The vehicle cloud.
    #[command(flatten)]
    pub smartcar: SmartcarSettings,

    /// How much the service takes on.
    #[command(flatten)]
    pub limits: LimitSettings,
}

/// The setting of whatever uses the keys.
#[derive(Debug, Clone, Args)]
pub struct KeyFileSetting {
    /// File with the signing and sealing keys.
    #[arg(long, env = "KEYLEND_KEY_FILE", value_name = "PATH", default_value = "keylend.keys")]
    pub key_file: PathBuf,
}

/// The settings of whatever opens the database.
#[derive(Clone, Args)]
pub struct DatabaseSettings {
    /// sqlite:PATH or postgres://USER@HOST/NAME.
    #[arg(
        long,
        env = "KEYLEND_DATABASE_URL",
        value_name = "URL",
        default_value = "sqlite:keylend.db",
        hide_env_values = true
    )]
    pub database_url: Location,

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

/// The settings of the vehicle cloud.
#[derive(Debug, Clone, Args)]
pub struct SmartcarSettings {
    /// Id of the Smartcar application.
    #[arg(long, env = "KEYLEND_SMARTCAR_CLIENT_ID", value_name = "ID")]
    pub smartcar_client_id: Option<String>,

    /// Secret of the Smartcar application; better given by the environment.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub smartcar_client_secret: Option<SecretString>,

    /// A simulator that plays the parts of Smartcar whose origins are not set.
    #[arg(long, env = "KEYLEND_SIMULATOR_URL", value_name = "URL")]
    pub simulator_url: Option<Origin>,

    /// Where vehicles are (version 2.0): the simulator, or https://api.smartcar.com.
    #[arg(long, env = "KEYLEND_SMARTCAR_API_ORIGIN", value_name = "URL")]
    pub smartcar_api_origin: Option<Origin>,

    /// Where vehicles are (version 3): the simulator, or https://vehicle.api.smartcar.com.
    #[arg(long, env = "KEYLEND_SMARTCAR_API_V3_ORIGIN", value_name = "URL")]
    pub smartcar_api_v3_origin: Option<Origin>,

    /// Where owners' tokens are made: the simulator, or https://auth.smartcar.com.
    #[arg(long, env = "KEYLEND_SMARTCAR_AUTH_ORIGIN", value_name = "URL")]
    pub smartcar_auth_origin: Option<Origin>,

    /// Where the application's tokens are made: the simulator, or https://iam.smartcar.com.
    #[arg(long, env = "KEYLEND_SMARTCAR_IAM_ORIGIN", value_name = "URL")]
    pub smartcar_iam_origin: Option<Origin>,

    /// Where owners consent: the simulator, or https://connect.smartcar.com.
    #[arg(long, env = "KEYLEND_SMARTCAR_CONNECT_ORIGIN", value_name = "URL")]
    pub smartcar_connect_origin: Option<Origin>,

    /// Where connections are managed: the simulator, or https://management.api.smartcar.com.
    #[arg(long, env = "KEYLEND_SMARTCAR_MANAGEMENT_ORIGIN", value_name = "URL")]
    pub smartcar_management_origin: Option<Origin>,

    /// One call to the vehicle cloud takes at most so many seconds.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_TIMEOUT_S",
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=60)
    )]
    pub smartcar_timeout_s: u64,

    /// Which versions of the API are spoken.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_API_VERSIONS",
        value_name = "VERSIONS",
        value_enum,
        default_value = "v3-first"
    )]
    pub smartcar_api_versions: VersionsSetting,

    /// Id for version 3, whose credentials differ from those of the consent page.
    #[arg(long, env = "KEYLEND_SMARTCAR_V3_CLIENT_ID", value_name = "ID")]
    pub smartcar_v3_client_id: Option<String>,

    /// Secret for version 3; better given by the environment.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_V3_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub smartcar_v3_client_secret: Option<SecretString>,

    /// Application management token, the secret of webhooks; without it none are taken.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_MANAGEMENT_TOKEN",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub smartcar_management_token: Option<SecretString>,
}

/// The versions of the API on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VersionsSetting {
    /// v3 where a consent allows it, otherwise v2.0.
    V3First,
    /// v3 alone.
    V3,
    /// v2.0 alone.
    #[value(name = "v2.0")]
    V2,
}

/// How much the service takes on.
#[derive(Debug, Clone, Copy, Args)]
pub struct LimitSettings {
    /// At most so many commands wait for a decision.
    #[arg(
        long,
        env = "KEYLEND_COMMANDS_WAITING_MAX",
        value_name = "COUNT",
        default_value_t = Limits::default().commands_waiting_max,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..)
    )]
    pub commands_waiting_max: usize,

    /// At most so many requests about one car go to the vehicle cloud at once.
    #[arg(
        long,
        env = "KEYLEND_VEHICLE_REQUESTS_BURST",
        value_name = "COUNT",
        default_value_t = Limits::default().vehicle_requests.burst,
        value_parser = clap::value_parser!(u32).range(10..)
    )]
    pub vehicle_requests_burst: u32,

    /// So many requests about one car are allowed again each minute.
    #[arg(
        long,
        env = "KEYLEND_VEHICLE_REQUESTS_PER_MINUTE",
        value_name = "COUNT",
        default_value_t = Limits::default().vehicle_requests.per_minute,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub vehicle_requests_per_minute: u32,

    /// At most so many requests go to the vehicle cloud at once.
    #[arg(
        long,
        env = "KEYLEND_APPLICATION_REQUESTS_BURST",
        value_name = "COUNT",
        default_value_t = Limits::default().application_requests.burst,
        value_parser = clap::value_parser!(u32).range(10..)
    )]
    pub application_requests_burst: u32,

    /// So many requests to the vehicle cloud are allowed again each minute.
    #[arg(
        long,
        env = "KEYLEND_APPLICATION_REQUESTS_PER_MINUTE",
        value_name = "COUNT",
        default_value_t = Limits::default().application_requests.per_minute,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub application_requests_per_minute: u32,

    /// At most so many passwords are hashed at the same time.
    #[arg(
        long,
        env = "KEYLEND_PASSWORD_HASHES_MAX",
        value_name = "COUNT",
        default_value_t = Limits::default().password_hashes_max
    )]
    pub password_hashes_max: NonZeroU8,
}

/// The settings of the log, for every command.
#[derive(Debug, Clone, Args)]
pub struct LogSettings {
    /// What is logged, such as info,keylend=debug.
    #[arg(
        long = "log",
        env = "KEYLEND_LOG",
        value_name = "FILTER",
        default_value = "info",
        global = true
    )]
    pub filter: String,

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
    /// [`InvalidSettings`] names what does not fit.
    pub fn into_offline_config(mut self) -> Result<Config, InvalidSettings> {
        let smartcar = &mut self.smartcar;
        smartcar.smartcar_client_id.get_or_insert_with(|| SIMULATED_CLIENT.to_owned());
        smartcar.smartcar_client_secret.get_or_insert_with(|| SIMULATED_CLIENT.into());
        self.into_config()
    }

    /// The settings as checked values.
    ///
    /// # Errors
    /// [`InvalidSettings`] names what does not fit.
    pub fn into_config(self) -> Result<Config, InvalidSettings> {
        let public_url = match self.public_url {
            Some(public_url) => public_url,
            None => address_of(self.listen)?,
        };
        Ok(Config {
            listen: self.listen,
            public_url,
            database: self.database.into_config(),
            key_file: self.key_file.key_file,
            smartcar: self.smartcar.into_config()?,
            limits: self.limits.into_config(),
        })
    }
}

/// Everywhere is no address to send anybody to, and port 0 is not known yet.
fn address_of(listen: SocketAddr) -> Result<PublicUrl, InvalidSettings> {
    let invalid = InvalidSettings::PublicUrl(listen);
    if listen.ip().is_unspecified() || listen.port() == 0 {
        return Err(invalid);
    }
    format!("http://{listen}").parse().map_err(|_| invalid)
}

impl DatabaseSettings {
    /// The settings as checked values.
    #[must_use]
    pub fn into_config(self) -> Database {
        Database { location: self.database_url, connections_max: self.database_connections_max }
    }
}

impl LimitSettings {
    /// The settings as checked values.
    #[must_use]
    pub fn into_config(self) -> Limits {
        Limits {
            commands_waiting_max: self.commands_waiting_max,
            password_hashes_max: self.password_hashes_max,
            vehicle_requests: Allowance {
                burst: self.vehicle_requests_burst,
                per_minute: self.vehicle_requests_per_minute,
            },
            application_requests: Allowance {
                burst: self.application_requests_burst,
                per_minute: self.application_requests_per_minute,
            },
            ..Limits::default()
        }
    }
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.clone().into_config(), f)
    }
}

impl SmartcarSettings {
    /// The settings as checked values. An origin that is set wins over the simulator, because a
    /// browser may have to reach the consent page at another address than the service does.
    ///
    /// # Errors
    /// [`InvalidSettings::Missing`] if there is neither an application nor a simulator.
    pub fn into_config(self) -> Result<Smartcar, InvalidSettings> {
        let default = self.simulator_url.is_some().then_some(SIMULATED_CLIENT);
        let client_id = self.smartcar_client_id.or(default.map(str::to_owned));
        let client_secret = self.smartcar_client_secret.or(default.map(Into::into));
        let defaults = match &self.simulator_url {
            Some(simulator) => Origins::all_at(simulator),
            None => Origins::of_smartcar(),
        };
        let origins = Origins {
            api: self.smartcar_api_origin.unwrap_or(defaults.api),
            api_v3: self.smartcar_api_v3_origin.unwrap_or(defaults.api_v3),
            auth: self.smartcar_auth_origin.unwrap_or(defaults.auth),
            iam: self.smartcar_iam_origin.unwrap_or(defaults.iam),
            connect: self.smartcar_connect_origin.unwrap_or(defaults.connect),
            management: self.smartcar_management_origin.unwrap_or(defaults.management),
        };
        Ok(Smartcar {
            client_id: client_id.ok_or(InvalidSettings::Missing("KEYLEND_SMARTCAR_CLIENT_ID"))?,
            client_secret: client_secret
                .ok_or(InvalidSettings::Missing("KEYLEND_SMARTCAR_CLIENT_SECRET"))?,
            origins,
            timeout: Duration::from_secs(self.smartcar_timeout_s),
            api_versions: match self.smartcar_api_versions {
                VersionsSetting::V3First => ApiVersions::V3First,
                VersionsSetting::V3 => ApiVersions::V3Only,
                VersionsSetting::V2 => ApiVersions::V2Only,
            },
            v3_credentials: self
                .smartcar_v3_client_id
                .zip(self.smartcar_v3_client_secret)
                .map(|(client_id, client_secret)| Credentials { client_id, client_secret }),
            management_token: self.smartcar_management_token,
        })
    }
}

impl LogSettings {
    /// The settings as checked values.
    #[must_use]
    pub fn into_config(self) -> Logging {
        Logging {
            filter: self.filter,
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
