//! Logins in files: one for each profile, in a folder that nobody else can enter.
//!
//! A file is replaced as a whole, by whoever holds the lock beside it. Readers need no lock: they
//! see a whole file, the old or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arguments::ProfileArgs;
use crate::cli::{Failure, Unmet};
use crate::disk::durable;
use crate::domain::id::UserId;
use crate::domain::time::Timestamp;

/// A longer file is no login.
const LENGTH_MAX: u64 = 64 * 1024;
/// How often the lock is tried, and how many times: longer than any exchange with a server takes.
const LOCK_TRIED_EVERY: Duration = Duration::from_millis(25);
const LOCK_TRIES: u32 = 4000;

/// A text that is a secret: it is written to the file and to nothing that is printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Hidden(pub(super) String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Somebody who is signed in at a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Login {
    /// Where the server is, without a slash at its end.
    pub(super) server: String,
    /// What requests are made with.
    pub(super) access_token: Hidden,
    /// When that is of no use any more, by this machine's clock.
    pub(super) expires_at: Timestamp,
    /// How the next one is got.
    pub(super) renewal: Renewal,
}

/// How the next access token is got.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Renewal {
    /// By a refresh token that works once.
    Session {
        /// Of which session.
        session_id: String,
        /// The newest one.
        refresh_token: Hidden,
    },
    /// By the credentials of an API client.
    ApiClient {
        /// Which client.
        client_id: String,
        /// Its secret.
        client_secret: Hidden,
        /// For whom it acts if nothing else is said.
        acting_for: Option<UserId>,
    },
}

impl Login {
    /// Whether this is what has become of another login: the same session, or the same API client,
    /// at the same server.
    pub(super) fn is_continued_from(&self, other: &Self) -> bool {
        let is_same = match (&self.renewal, &other.renewal) {
            (Renewal::Session { session_id, .. }, Renewal::Session { session_id: other, .. }) => {
                session_id == other
            }
            (Renewal::ApiClient { client_id, .. }, Renewal::ApiClient { client_id: other, .. }) => {
                client_id == other
            }
            (Renewal::Session { .. }, Renewal::ApiClient { .. })
            | (Renewal::ApiClient { .. }, Renewal::Session { .. }) => false,
        };
        is_same && self.server == other.server
    }
}

/// Where one login is kept.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    folder: PathBuf,
    profile: String,
}

/// The right to replace a login, as long as it lives.
#[derive(Debug)]
pub(super) struct Held<'a> {
    keeper: &'a Keeper,
    _lock: File,
}

fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let sentence = format!("cannot {what} {}", path.display());
    move |error| Failure::because(format!("{sentence}: {error}"))
}

impl Keeper {
    /// The place of the login of this profile.
    ///
    /// # Errors
    /// [`Failure::Usage`] if neither an argument nor the environment names a folder.
    pub(super) fn of(args: &ProfileArgs) -> Result<Self, Failure> {
        let folder = args.config.clone().or_else(folder_of_the_environment).ok_or_else(|| {
            Failure::Usage("no folder for logins: set KEYLEND_CONFIG or HOME".to_owned())
        })?;
        Ok(Self { folder: folder.join("profiles"), profile: args.profile.clone() })
    }

    /// The name of the profile.
    pub(super) fn profile(&self) -> &str {
        &self.profile
    }

    /// The command that signs this profile in.
    pub(super) fn login_command(&self) -> String {
        if self.profile == "default" {
            "keylend login".to_owned()
        } else {
            format!("keylend login --profile {}", self.profile)
        }
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}.{suffix}", self.profile))
    }

    /// The login that is kept.
    ///
    /// # Errors
    /// [`Unmet::SignedOut`] if there is none; [`Failure`] if the file cannot be read, is no login,
    /// or could be read by others.
    pub(super) fn read(&self) -> Result<Login, Failure> {
        let path = self.file("json");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (profile, login) = (&self.profile, self.login_command());
                let said = format!("not signed in as profile {profile}; run `{login}` first");
                return Err(Failure::unmet(Unmet::SignedOut, said));
            }
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let mode = file.metadata().map_err(failed("read", &path))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::because(format!(
                "{} is open to group or others (mode {mode:03o}); run chmod 600 on it",
                path.display()
            )));
        }
        let mut bytes = Vec::new();
        file.take(LENGTH_MAX).read_to_end(&mut bytes).map_err(failed("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|_| {
            let (path, login) = (path.display(), self.login_command());
            let said = format!("{path} is no login that this version can read; run `{login}`");
            Failure::unmet(Unmet::SignedOut, said)
        })
    }

    /// Waits until no other process is replacing the login.
    ///
    /// # Errors
    /// [`Failure`] if the folder or the lock cannot be made, or another process holds it for good.
    pub(super) async fn hold(&self) -> Result<Held<'_>, Failure> {
        let folder = &self.folder;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
            .map_err(failed("make", folder))?;
        let path = self.file("lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&path).map_err(failed("open", &path))?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(Held { keeper: self, _lock: lock }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_TRIED_EVERY).await,
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            }
        }
        let path = path.display();
        Err(Failure::because(format!("another keylend holds {path} and does not let go of it")))
    }
}

impl Held<'_> {
    /// Replaces the login; when this returns, it is durable.
    ///
    /// # Errors
    /// [`Failure`]; then the file holds what it held, or all of what is new.
    pub(super) fn replace(&self, login: &Login) -> Result<(), Failure> {
        let (path, draft) = (self.keeper.file("json"), self.keeper.file("new"));
        let bytes = serde_json::to_vec_pretty(login)?;
        // One that was cut off may be there; only the holder of the lock writes it.
        let written = remove_if_there(&draft).and_then(|()| {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            durable::sync_directory_of(&path)
        });
        written.map_err(failed("write", &path))
    }

    /// Forgets the login.
    ///
    /// # Errors
    /// [`Failure`] if the file cannot be removed.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let path = self.keeper.file("json");
        remove_if_there(&path).map_err(failed("remove", &path))
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[expect(clippy::disallowed_methods, reason = "where other programs keep theirs; no setting")]
fn folder_of_the_environment() -> Option<PathBuf> {
    let named = |name: &str| {
        // A path that is not absolute is to be ignored (XDG Base Directory Specification).
        std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
    };
    let base = named("XDG_CONFIG_HOME").or_else(|| Some(named("HOME")?.join(".config")));
    base.map(|base| base.join("keylend"))
}

#[cfg(test)]
#[path = "keeper_test.rs"]
mod tests;
