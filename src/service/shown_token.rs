//! The grant token that a request shows. It counts if its row says that it was not ended and, for a bound token, if the proof
//! was not used before. The proof is spent in the transaction that decides on the request.

use std::collections::HashSet;

use uuid::Uuid;

use super::pace::{Lane, Use};
use super::{Base, CredentialFault, Error};
use crate::domain::device_key::Thumbprint;
use crate::domain::id::TokenId;
use crate::signing::dpop::Proof;
use crate::storage::spent_proofs::{self, ProofToSpend, Spenders};
use crate::storage::{Priority, Tx, grant_tokens};

/// A grant token that a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownToken {
    /// The token.
    pub token_id: TokenId,
    /// The key of the device to which it is bound, if it is.
    pub device_key: Option<Thumbprint>,
    /// The proof of that device.
    pub proof: Option<ProofToSpend>,
}

/// What is known of the tokens that the requests of one transaction show.
#[derive(Debug, Default)]
pub(super) struct CountingTokens {
    living: HashSet<TokenId>,
    spenders: Spenders,
}

impl ShownToken {
    /// A token, with the proof of its device.
    ///
    /// # Errors
    /// [`Error::Internal`] without randomness.
    pub fn new(base: &Base, token_id: TokenId, proof: Option<Proof>) -> Result<Self, Error> {
        let device_key = proof.map(|proof| proof.thumbprint);
        let proof = proof.map(|proof| to_spend(base, proof)).transpose()?;
        Ok(Self { token_id, device_key, proof })
    }

    /// Has the token count for a request on which no gate decides.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if it was ended, or its proof was spent before; [`Error::Throttled`].
    pub async fn counts(&self, base: &Base, used: Use<'_>, lane: Lane) -> Result<(), Error> {
        if self.proof.is_none() {
            let mut reader = base.store.read_urgent().await?;
            let token = grant_tokens::find(&mut reader, self.token_id).await?;
            let counts = token.is_some_and(|token| token.ended_at.is_none());
            return counts.then_some(()).ok_or(Error::Unauthenticated(CredentialFault::Invalid));
        }
        base.pace.admit_use(used, lane)?;
        let counted = base.transact("grant_tokens.show", Priority::Ordinary, |work| {
            Box::pin(async move {
                let counting = CountingTokens::lock(&mut work.tx, &[*self]).await?;
                Ok(counting.fault(self))
            })
        });
        counted.await?.map_or(Ok(()), |fault| Err(Error::Unauthenticated(fault)))
    }
}

impl CountingTokens {
    /// What storage found when it locked the tokens and spent the proofs.
    pub(super) fn found(living: Vec<TokenId>, spenders: Spenders) -> Self {
        Self { living: living.into_iter().collect(), spenders }
    }

    /// Locks tokens until the transaction ends, and spends their proofs in it.
    pub(super) async fn lock(tx: &mut Tx, shown: &[ShownToken]) -> Result<Self, Error> {
        let (token_ids, proofs) = parts(shown.iter());
        let living = grant_tokens::lock_living(tx, &token_ids).await?;
        Ok(Self::found(living, spent_proofs::spend(tx, proofs).await?))
    }

    /// Spends one proof with which no token is shown.
    ///
    /// # Errors
    /// The inner one if it was spent before.
    pub(super) async fn spend(
        tx: &mut Tx,
        proof: ProofToSpend,
    ) -> Result<Result<(), CredentialFault>, Error> {
        let spenders = spent_proofs::spend(tx, vec![proof]).await?;
        Ok(if spenders.include(&proof) { Ok(()) } else { Err(CredentialFault::ProofSpent) })
    }

    /// Why a token does not count.
    pub(super) fn fault(&self, shown: &ShownToken) -> Option<CredentialFault> {
        if !self.living.contains(&shown.token_id) {
            return Some(CredentialFault::Invalid);
        }
        let is_spent = |proof: &ProofToSpend| !self.spenders.include(proof);
        shown.proof.as_ref().filter(|proof| is_spent(proof)).map(|_| CredentialFault::ProofSpent)
    }
}

/// Each token once, in one order for all transactions, and the proofs.
pub(super) fn parts<'s>(
    shown: impl Iterator<Item = &'s ShownToken>,
) -> (Vec<TokenId>, Vec<ProofToSpend>) {
    let (mut token_ids, mut proofs) = (Vec::new(), Vec::new());
    for ShownToken { token_id, proof, .. } in shown {
        token_ids.push(*token_id);
        proofs.extend(*proof);
    }
    token_ids.sort_unstable();
    token_ids.dedup();
    (token_ids, proofs)
}

/// A proof as this request spends it.
///
/// # Errors
/// [`Error::Internal`] without randomness.
pub(super) fn to_spend(base: &Base, proof: Proof) -> Result<ProofToSpend, Error> {
    let mut name = [0; 16];
    base.entropy.fill(&mut name)?;
    let Proof { digest, fresh_until, .. } = proof;
    Ok(ProofToSpend { digest, spent_by: Uuid::from_bytes(name), fresh_until })
}
