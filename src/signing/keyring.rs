//! The keys of the service in four separate sets, so that no key ever serves two purposes
//! (RFC 8725 section 3.12): grants, sessions, checkpoints, seals. Knows no file.

use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::dpop_nonce::Nonces;
use crate::signing::error::SigningError;
use crate::signing::provider;
use crate::signing::sealing_key::{SealingKey, SealingKeys};
use crate::signing::signing_key::{SigningKey, SigningKeys};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a retired grant key verifies: one day more than the longest grant.
pub const GRANT_KEY_KEPT: Duration = DAY.saturating_mul(402);
/// How long a retired session key verifies: far longer than any session token lives.
pub const SESSION_KEY_KEPT: Duration = DAY;
/// How long a replaced checkpoint key goes on signing beside its successor: the time for everybody
/// who verifies the record to learn the new one.
pub const CHECKPOINT_KEY_KEPT: Duration = DAY.saturating_mul(90);

/// All keys of the service. Its `Debug` form names keys and shows none.
#[derive(Debug)]
pub struct Keyring {
    grants: SigningKeys,
    sessions: SigningKeys,
    checkpoints: SigningKeys,
    seals: SealingKeys,
    nonces: Nonces,
}

impl Keyring {
    /// A keyring with one new key in each set.
    ///
    /// # Errors
    /// [`SigningError::NoEntropy`] if the generator fails.
    pub fn generate(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, SigningError> {
        let grants = SigningKeys::new(SigningKey::generate(entropy, now)?, Vec::new());
        let sessions = SigningKeys::new(SigningKey::generate(entropy, now)?, Vec::new());
        let checkpoints = SigningKeys::new(SigningKey::generate(entropy, now)?, Vec::new());
        let seals = SealingKeys::new(SealingKey::generate(entropy, now)?, Vec::new());
        Ok(Self::new(grants, sessions, checkpoints, seals))
    }

    /// A keyring with these sets. Installs the [`provider`], so that every holder of a
    /// keyring can use it.
    #[must_use]
    pub fn new(
        grants: SigningKeys,
        sessions: SigningKeys,
        checkpoints: SigningKeys,
        seals: SealingKeys,
    ) -> Self {
        provider::install();
        let nonces = Nonces::new(&seals);
        Self { grants, sessions, checkpoints, seals, nonces }
    }

    /// Adds a new active key to each set but that of checkpoints. The old ones go on verifying and opening: grant keys
    /// for [`GRANT_KEY_KEPT`], session keys for [`SESSION_KEY_KEPT`], sealing keys for ever.
    ///
    /// # Errors
    /// [`SigningError::NoEntropy`] if the generator fails; then nothing has changed.
    pub fn rotate(&mut self, entropy: &dyn Entropy, now: Timestamp) -> Result<(), SigningError> {
        let grant = SigningKey::generate(entropy, now)?;
        let session = SigningKey::generate(entropy, now)?;
        let seal = SealingKey::generate(entropy, now)?;
        self.grants.replace(grant, now, GRANT_KEY_KEPT);
        self.sessions.replace(session, now, SESSION_KEY_KEPT);
        self.seals.replace(seal, now);
        self.nonces = Nonces::new(&self.seals);
        Ok(())
    }

    /// Adds a new key that signs checkpoints; the old one signs them too for
    /// [`CHECKPOINT_KEY_KEPT`]. Apart from [`Keyring::rotate`], because every verifier of
    /// the record needs the new public key.
    ///
    /// # Errors
    /// [`SigningError::NoEntropy`] if the generator fails; then nothing has changed.
    pub fn rotate_checkpoints(
        &mut self,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(), SigningError> {
        let key = SigningKey::generate(entropy, now)?;
        self.checkpoints.replace(key, now, CHECKPOINT_KEY_KEPT);
        Ok(())
    }

    /// The keys of grant tokens.
    #[must_use]
    pub const fn grants(&self) -> &SigningKeys {
        &self.grants
    }

    /// The keys of session tokens.
    #[must_use]
    pub const fn sessions(&self) -> &SigningKeys {
        &self.sessions
    }

    /// The keys of checkpoints: all of them sign.
    #[must_use]
    pub const fn checkpoints(&self) -> &SigningKeys {
        &self.checkpoints
    }

    /// What makes nonces for proofs of devices: it follows from the keys of sealed secrets.
    #[must_use]
    pub const fn nonces(&self) -> &Nonces {
        &self.nonces
    }

    /// The keys of sealed secrets.
    #[must_use]
    pub const fn seals(&self) -> &SealingKeys {
        &self.seals
    }
}
