//! The settings of the vehicle cloud.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::invalid::Faults;
use super::{InvalidSetting, secrets};
use crate::config::{ApiVersions, Credentials, Origin, Origins, Smartcar};

/// A simulator takes any id and secret.
pub(super) const SIMULATED_CLIENT: &str = "simulated";

/// The settings of the vehicle cloud.
#[derive(Debug, Clone, Args)]
pub struct SmartcarSettings {
    /// Id of the Smartcar application.
    #[arg(long, env = "KEYLEND_SMARTCAR_CLIENT_ID", value_name = "ID")]
    pub smartcar_client_id: Option<String>,

    /// Secret of the Smartcar application; better given by a file.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub smartcar_client_secret: Option<SecretString>,

    /// File that holds this secret.
    #[arg(long, env = "KEYLEND_SMARTCAR_CLIENT_SECRET_FILE", value_name = "PATH")]
    pub smartcar_client_secret_file: Option<PathBuf>,

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

    /// Secret for version 3; better given by a file.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_V3_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub smartcar_v3_client_secret: Option<SecretString>,

    /// File that holds this secret.
    #[arg(long, env = "KEYLEND_SMARTCAR_V3_CLIENT_SECRET_FILE", value_name = "PATH")]
    pub smartcar_v3_client_secret_file: Option<PathBuf>,

    /// Application management token, the secret of webhooks; without it none are taken.
    #[arg(
        long,
        env = "KEYLEND_SMARTCAR_MANAGEMENT_TOKEN",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub smartcar_management_token: Option<SecretString>,

    /// File that holds this secret.
    #[arg(long, env = "KEYLEND_SMARTCAR_MANAGEMENT_TOKEN_FILE", value_name = "PATH")]
    pub smartcar_management_token_file: Option<PathBuf>,
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

impl SmartcarSettings {
    /// The settings as checked values, or nothing if one is wrong. An origin that is set wins over the
    /// simulator, because a browser may have to reach the consent page at another address than the
    /// service does.
    pub(super) fn into_config(self, faults: &mut Faults) -> Option<Smartcar> {
        let default = self.simulator_url.is_some().then_some(SIMULATED_CLIENT);
        let client_id = self.smartcar_client_id.or(default.map(str::to_owned));
        let client_id =
            faults.good(client_id.ok_or(InvalidSetting::Missing("KEYLEND_SMARTCAR_CLIENT_ID")));
        let client_secret = faults.good(secrets::either(
            "KEYLEND_SMARTCAR_CLIENT_SECRET",
            self.smartcar_client_secret,
            self.smartcar_client_secret_file,
        ));
        let client_secret = client_secret.and_then(|secret| {
            let missing = InvalidSetting::Missing("KEYLEND_SMARTCAR_CLIENT_SECRET");
            faults.good(secret.or(default.map(Into::into)).ok_or(missing))
        });
        let v3_client_secret = faults.good(secrets::either(
            "KEYLEND_SMARTCAR_V3_CLIENT_SECRET",
            self.smartcar_v3_client_secret,
            self.smartcar_v3_client_secret_file,
        ));
        let v3_credentials = v3_client_secret
            .and_then(|secret| faults.good(both(self.smartcar_v3_client_id, secret)));
        let management_token = faults.good(secrets::unguessable(
            "KEYLEND_SMARTCAR_MANAGEMENT_TOKEN",
            self.smartcar_management_token,
            self.smartcar_management_token_file,
        ));
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
        };
        Some(Smartcar {
            client_id: client_id?,
            client_secret: client_secret?,
            origins,
            timeout: Duration::from_secs(self.smartcar_timeout_s),
            api_versions: match self.smartcar_api_versions {
                VersionsSetting::V3First => ApiVersions::V3First,
                VersionsSetting::V3 => ApiVersions::V3Only,
                VersionsSetting::V2 => ApiVersions::V2Only,
            },
            v3_credentials: v3_credentials?,
            management_token: management_token?,
        })
    }
}

/// Credentials, if they are set: both parts or none.
fn both(
    client_id: Option<String>,
    client_secret: Option<SecretString>,
) -> Result<Option<Credentials>, InvalidSetting> {
    match (client_id, client_secret) {
        (None, None) => Ok(None),
        (Some(client_id), Some(client_secret)) => {
            Ok(Some(Credentials { client_id, client_secret }))
        }
        (None, Some(_)) => Err(InvalidSetting::Missing("KEYLEND_SMARTCAR_V3_CLIENT_ID")),
        (Some(_), None) => Err(InvalidSetting::Missing("KEYLEND_SMARTCAR_V3_CLIENT_SECRET")),
    }
}
