//! Passwords: hashed slowly, verified in equal time, behind a bounded gate.

use super::*;

fn hasher() -> PasswordHasher {
    PasswordHasher::new(NonZeroU8::new(2).unwrap()).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

#[tokio::test]
async fn a_password_matches_its_own_hash_only() {
    let hasher = hasher();
    let stored = hasher.hash(&secret("walrus teacup gravel")).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    let right = hasher.verify(&secret("walrus teacup gravel"), Some(stored.clone())).await;
    let wrong = hasher.verify(&secret("walrus teacup gravell"), Some(stored)).await;
    assert_eq!(right, Ok(Verdict { matches: true, needs_rehash: false }));
    assert_eq!(wrong, Ok(Verdict::NO));
}

#[tokio::test]
async fn the_same_password_is_hashed_differently_each_time() {
    let hasher = hasher();
    let first = hasher.hash(&secret("walrus teacup gravel")).await.unwrap();
    let second = hasher.hash(&secret("walrus teacup gravel")).await.unwrap();
    assert_ne!(first, second);
}

#[tokio::test]
async fn both_spellings_of_an_umlaut_are_one_password() {
    let hasher = hasher();
    let stored = hasher.hash(&secret("gr\u{fc}ne Teekanne auf Kies")).await.unwrap();
    let typed = secret("gru\u{308}ne Teekanne auf Kies");
    assert!(hasher.verify(&typed, Some(stored)).await.unwrap().matches);
}

#[tokio::test]
async fn no_account_never_matches_not_even_the_dummys_password() {
    let hasher = hasher();
    for password in ["", "walrus teacup gravel"] {
        assert_eq!(hasher.verify(&secret(password), None).await, Ok(Verdict::NO));
    }
}

#[tokio::test]
async fn an_old_hash_still_matches_and_asks_to_be_renewed() {
    let params = Params::new(8192, 1, 1, None).unwrap();
    let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let stored = hash_now(&old, "walrus teacup gravel").unwrap();
    let hasher = hasher();
    let right = hasher.verify(&secret("walrus teacup gravel"), Some(stored.clone())).await;
    let wrong = hasher.verify(&secret("teacup walrus gravel"), Some(stored)).await;
    assert_eq!(right, Ok(Verdict { matches: true, needs_rehash: true }));
    assert_eq!(wrong, Ok(Verdict::NO));
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_never_a_match() {
    let hasher = hasher();
    for stored in ["", "secret", "$argon2id$v=19$m=19456,t=2,p=1", "$2b$12$abcdefghijklmnopqrstuv"]
    {
        let answer = hasher.verify(&secret(stored), Some(stored.to_owned())).await;
        assert_eq!(answer, Err(PasswordError::Unreadable), "{stored}");
    }
}

#[tokio::test]
async fn endless_passwords_are_not_hashed() {
    let hasher = hasher();
    let longest = secret(&"x".repeat(HASHED_BYTES_MAX));
    let longer = secret(&"x".repeat(HASHED_BYTES_MAX + 1));
    assert!(hasher.hash(&longest).await.is_ok());
    assert_eq!(hasher.hash(&longer).await, Err(PasswordError::TooLong));
    // Even with the gate shut the answer is the same: no turn was asked for.
    hasher.turns.close();
    assert_eq!(hasher.verify(&longer, None).await, Ok(Verdict::NO));
    assert_eq!(hasher.verify(&longest, None).await, Err(PasswordError::Failed));
}

#[tokio::test]
async fn beyond_the_queue_the_answer_is_busy() {
    let hasher = hasher();
    let free = WAITING_MAX + 2;
    let taken = hasher.places.try_acquire_many(u32::try_from(free).unwrap()).unwrap();
    assert_eq!(hasher.hash(&secret("x")).await, Err(PasswordError::Busy));
    assert_eq!(hasher.verify(&secret("x"), None).await, Err(PasswordError::Busy));
    drop(taken);
    assert!(hasher.hash(&secret("x")).await.is_ok());
    assert_eq!(hasher.places.available_permits(), free);
    assert_eq!(hasher.turns.available_permits(), 2);
}

#[tokio::test]
async fn whoever_gives_up_waiting_frees_the_place() {
    let hasher = hasher();
    let running = hasher.turns.acquire_many(2).await.unwrap();
    let password = secret("x");
    let mut waiting = Box::pin(hasher.hash(&password));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    assert_eq!(hasher.places.available_permits(), WAITING_MAX + 1);
    drop(waiting);
    assert_eq!(hasher.places.available_permits(), WAITING_MAX + 2);
    drop(running);
}
