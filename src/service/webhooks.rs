//! What the vehicle cloud sends by itself. An event is believed only with the signature of its very
//! bytes, and taken in once. It can settle a command, suspend a car, or end its suspension; it can
//! never allow anything.
//!
//! The signature of a text of the cloud's choice is given out only while an operator expects it,
//! and only of texts that cannot be an event: otherwise anybody could have an event signed.

mod effects;

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Base, CredentialFault, Error, Service};
use crate::connector::webhook::{self, Message, News};
use crate::domain::access::Sought;
use crate::domain::time::Timestamp;
use crate::signing::secret::{self, RandomSecret, SecretPrefix};
use crate::signing::{digest, webhook_signature};
use crate::storage::{Priority, webhooks};

/// The parameter of the address that holds its secret while the cloud verifies this service.
pub const VERIFICATION: &str = "verification";
/// How long the cloud may verify this service after an operator said so.
pub const REGISTRATION_TIME: Duration = Duration::from_secs(15 * 60);
/// How often it may do so in that time.
const ANSWERS_MAX: i64 = 5;
/// How long events are remembered, so that a repeated one does nothing.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Older events are refused: whether they were taken in before may be forgotten.
const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How far the cloud's clock may be ahead.
const AHEAD_MAX: Duration = Duration::from_secs(5 * 60);

/// What is answered to the cloud.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// The signature of the challenge.
    Verified(String),
    /// The event was taken in, now or before.
    Taken,
}

/// A time in which the cloud may verify this service.
#[derive(Debug)]
pub struct ExpectedVerification {
    /// The address to register; who does not know it is not answered.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Lets the cloud verify this service for a while, at an address that strangers cannot know: they would
/// use up the answers.
///
/// # Errors
/// [`Error::Invalid`] if no secret is set; [`Error::Storage`].
pub async fn expect_verification(base: &Base) -> Result<ExpectedVerification, Error> {
    if base.settings.management_token.is_none() {
        let why = "KEYLEND_SMARTCAR_MANAGEMENT_TOKEN is not set";
        return Err(Error::invalid("management_token", "required", why));
    }
    let secret = RandomSecret::generate(SecretPrefix::Webhook, &*base.entropy)?;
    let address_hash = secret.hash();
    let url = &base.settings.public_url;
    let url = format!("{url}/v1/smartcar/webhooks?{VERIFICATION}={}", secret.expose());
    let opened = base.transact("webhooks.expect_verification", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let expires_at = now.plus(REGISTRATION_TIME);
            let id = base.entropy.uuid(now)?;
            webhooks::open_registration(tx, id, address_hash, now, expires_at, ANSWERS_MAX).await?;
            Ok(expires_at)
        })
    });
    Ok(ExpectedVerification { url, expires_at: opened.await? })
}

/// Whether somebody who knows the secret of this service's webhooks signed these bytes.
#[must_use]
pub fn is_signed(base: &Base, body: &[u8], signature: Option<&str>) -> bool {
    let secret = base.settings.management_token.as_ref();
    secret
        .zip(signature)
        .is_some_and(|(secret, told)| webhook_signature::verify(secret.expose_secret(), body, told))
}

/// Takes in what the cloud sent: the raw bytes, the header with their signature, and the secret of the address that
/// it was sent to.
///
/// # Errors
/// [`Error::NotFound`] if this service has no secret; [`Error::Invalid`] for what is no event, and
/// for a challenge that is not expected or not fit to be signed;
/// [`CredentialFault::Invalid`] for a signature that is missing or wrong.
pub async fn receive(
    service: &Service,
    body: &[u8],
    signature: Option<&str>,
    verification: Option<&str>,
) -> Result<Received, Error> {
    let secret = service.base.settings.management_token.as_ref();
    let secret = secret.ok_or(Error::NotFound(Sought::the("webhook endpoint")))?;
    let secret = secret.expose_secret();
    let now = service.base.clock.now();
    let message = webhook::read(body, now)
        .ok_or_else(|| Error::invalid("", "malformed", "is not an event"))?;
    let news = match message {
        // The cloud is reported to send these without a signature.
        Message::Challenge(challenge) => {
            return verify(&service.base, secret, &challenge, verification).await;
        }
        Message::News(news) => news,
    };
    if !is_signed(&service.base, body, signature) {
        return Err(Error::Unauthenticated(CredentialFault::Invalid));
    }
    let too_old = news.delivered_at.is_some_and(|at| at < now.minus(AGE_MAX));
    let too_early = news.delivered_at.is_some_and(|at| at > now.plus(AHEAD_MAX));
    if too_old || too_early {
        return Err(Error::invalid("/meta/deliveredAt", "out_of_range", "is not about now"));
    }
    let event_id = &event_id(&news, body);
    let mut reader = service.base.store.read().await?;
    let known = webhooks::is_known(&mut reader, event_id).await?;
    drop(reader);
    if known {
        return Ok(Received::Taken);
    }
    // Every effect can be repeated without harm, so the event is remembered last: one that was
    // taken in halfway is delivered again.
    effects::apply(service, news).await?;
    let remembered = service.base.transact("webhooks.remember", Priority::Ordinary, |work| {
        Box::pin(async move { Ok(webhooks::remember(&mut work.tx, event_id, work.now).await?) })
    });
    remembered.await?;
    Ok(Received::Taken)
}

/// The name under which an event is remembered.
fn event_id(news: &News, body: &[u8]) -> String {
    match &news.event_id {
        Some(id) => format!("v4 {id}"),
        // Older events have no name; the same bytes are the same event.
        None => {
            let hash = digest::sha256(body);
            let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("v2 {digits}")
        }
    }
}

async fn verify(
    base: &Base,
    management_token: &str,
    challenge: &str,
    verification: Option<&str>,
) -> Result<Received, Error> {
    let refused = |why: &str| Error::invalid("/data/challenge", "refused", why);
    let unexpected = || refused("is not expected; run `keylend webhooks expect` first");
    let is_fit = (8..=128).contains(&challenge.len())
        && challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_fit {
        return Err(refused("is not fit to be signed"));
    }
    let known = verification.filter(|text| SecretPrefix::Webhook.fits(text));
    let address_hash = secret::hash_of(known.ok_or_else(unexpected)?);
    // Anybody can ask, so while nothing is expected nothing is written.
    let mut reader = base.store.read().await?;
    let is_expected =
        webhooks::is_verification_expected(&mut reader, address_hash, base.clock.now()).await?;
    drop(reader);
    if !is_expected {
        return Err(unexpected());
    }
    let taken = base.transact("webhooks.take_answer", Priority::Ordinary, |work| {
        Box::pin(
            async move { Ok(webhooks::take_answer(&mut work.tx, address_hash, work.now).await?) },
        )
    });
    if !taken.await? {
        return Err(unexpected());
    }
    Ok(Received::Verified(webhook_signature::sign(management_token, challenge.as_bytes())))
}

/// Forgets events that are too old to come again; returns how many.
///
/// # Errors
/// [`Error::Storage`].
pub async fn forget_old(base: &Base) -> Result<u64, Error> {
    let forgotten = base.transact("webhooks.forget_old", Priority::Ordinary, |work| {
        Box::pin(async move {
            Ok(webhooks::forget_before(&mut work.tx, work.now.minus(REMEMBERED)).await?)
        })
    });
    forgotten.await
}
