//! Passwords as they are stored: argon2id PHC strings, made and compared off the async threads.
//!
//! A hash takes 19 MiB and tens of milliseconds of a core, so only a few run at a time and only
//! a few more may wait: a flood of sign-ins must not slow an unlock. It does not know which
//! passwords are acceptable (`domain::password` does) nor whose they are.

use std::num::NonZeroU8;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

use crate::domain::password::{INPUT_BYTES_MAX, normalize};

/// Memory of one hash in KiB; OWASP password storage cheat sheet, first choice for argon2id.
pub const MEMORY_KIB: u32 = 19_456;

/// Passes over the memory; same source.
pub const PASSES: u32 = 2;

/// Lanes of one hash; same source.
pub const LANES: u32 = 1;

/// How many may wait for their turn; the next one gets [`PasswordError::Busy`].
pub const WAITING_MAX: usize = 64;

/// The least priority that a thread can have (setpriority(2)).
const NICENESS: i32 = 19;

/// In bytes after NFC: longer passwords are never hashed. 256 code points always fit.
pub const HASHED_BYTES_MAX: usize = 1024;

/// Why a password could be neither hashed nor compared. None of them says that it is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// As many passwords as allowed are being hashed and waiting; the client may try again.
    #[error("too many passwords are being checked at the moment")]
    Busy,
    /// More than [`HASHED_BYTES_MAX`] bytes, which `domain::password::check` refuses earlier.
    #[error("the password is too long to be hashed")]
    TooLong,
    /// What is stored is no PHC string of a kind this service writes.
    #[error("the stored password hash cannot be read")]
    Unreadable,
    /// The salt, the memory or the thread for hashing could not be had.
    #[error("the password could not be hashed")]
    Failed,
}

/// What comparing a password with the stored hash gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the one that was hashed.
    pub matches: bool,
    /// It matches, and the stored hash was made with other parameters than today's: hash the
    /// password again and store the result.
    pub needs_rehash: bool,
}

impl Verdict {
    const NO: Self = Self { matches: false, needs_rehash: false };
}

/// Hashes and compares passwords, a few at a time.
#[derive(Debug)]
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    /// Compared with when there is no account, so that it takes as long as if there were one.
    dummy: Arc<str>,
    /// Those that wait and those that run.
    places: Arc<Semaphore>,
    /// Those that run.
    turns: Arc<Semaphore>,
}

impl PasswordHasher {
    /// A gate that lets `permits` hashes run at a time; computes one hash right away.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] if that first hash fails.
    pub fn new(permits: NonZeroU8) -> Result<Self, PasswordError> {
        let params =
            Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy = hash_now(&argon2, "")?.into();
        let running = usize::from(permits.get());
        Ok(Self {
            argon2,
            dummy,
            places: Arc::new(Semaphore::new(running.saturating_add(WAITING_MAX))),
            turns: Arc::new(Semaphore::new(running)),
        })
    }

    /// The PHC string to store for this password, with a new random salt of 16 bytes.
    ///
    /// # Errors
    /// [`PasswordError::TooLong`], [`PasswordError::Busy`] or [`PasswordError::Failed`].
    pub async fn hash(&self, password: &SecretString) -> Result<String, PasswordError> {
        let normal = acceptable(password).ok_or(PasswordError::TooLong)?;
        let argon2 = self.argon2.clone();
        self.in_turn(move || hash_now(&argon2, &normal)).await
    }

    /// Compares the password with the stored PHC string. Without one (no such account, or one
    /// without a password) it never matches but takes as long. A password too long to have been
    /// hashed matches nothing, at once and whether or not there is an account.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Unreadable`] or [`PasswordError::Failed`].
    pub async fn verify(
        &self,
        password: &SecretString,
        stored: Option<String>,
    ) -> Result<Verdict, PasswordError> {
        let Some(normal) = acceptable(password) else {
            return Ok(Verdict::NO);
        };
        let argon2 = self.argon2.clone();
        let dummy = Arc::clone(&self.dummy);
        self.in_turn(move || match stored {
            Some(stored) => verify_now(&argon2, &normal, &stored),
            None => verify_now(&argon2, &normal, &dummy).map(|_| Verdict::NO),
        })
        .await
    }

    /// Runs the work on a thread of its own when its turn comes, after everything else that the
    /// system has to do: a flood of sign-ins must not slow an unlock. Its place is kept until the
    /// work has ended, also when nobody waits for the answer any more.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place =
            Arc::clone(&self.places).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let turn =
            Arc::clone(&self.turns).acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        let held: [OwnedSemaphorePermit; 2] = [turn, place];
        let (answer, answered) = oneshot::channel();
        let thread = std::thread::Builder::new().name("password".to_owned());
        let started = thread.spawn(move || {
            stand_back();
            let done = work();
            drop(held);
            // Nobody may be waiting any more.
            drop(answer.send(done));
        });
        started.map_err(|_| PasswordError::Failed)?;
        // A thread that panicked gives no answer.
        answered.await.map_err(|_| PasswordError::Failed)?
    }
}

/// Gives this thread what the others leave. On Linux a priority is a thread's own.
fn stand_back() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(error = %error, "passwords are hashed at the priority of everything else");
    }
}

/// The password as it is hashed, unless it is too long for that.
fn acceptable(password: &SecretString) -> Option<Zeroizing<String>> {
    let typed = password.expose_secret();
    if typed.len() > INPUT_BYTES_MAX {
        return None;
    }
    Some(normalize(typed)).filter(|normal| normal.len() <= HASHED_BYTES_MAX)
}

fn hash_now(argon2: &Argon2<'_>, normal: &str) -> Result<String, PasswordError> {
    let hash: PasswordHash =
        argon2.hash_password(normal.as_bytes()).map_err(|_| PasswordError::Failed)?;
    Ok(hash.to_string())
}

fn verify_now(argon2: &Argon2<'_>, normal: &str, stored: &str) -> Result<Verdict, PasswordError> {
    let stored = PasswordHash::new(stored).map_err(|_| PasswordError::Unreadable)?;
    if stored.salt.is_none() || stored.hash.is_none() {
        return Err(PasswordError::Unreadable);
    }
    match argon2.verify_password(normal.as_bytes(), &stored) {
        Ok(()) => Ok(Verdict { matches: true, needs_rehash: !is_current(&stored) }),
        Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::NO),
        Err(password_hash::Error::OutOfMemory) => Err(PasswordError::Failed),
        Err(_) => Err(PasswordError::Unreadable),
    }
}

/// Made the way hashes are made today.
fn is_current(stored: &PasswordHash) -> bool {
    let costs =
        Params::try_from(stored).map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
    stored.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && stored.version == Some(Version::V0x13.into())
        && costs == Ok((MEMORY_KIB, PASSES, LANES))
}

#[cfg(test)]
#[path = "password_test.rs"]
mod tests;
