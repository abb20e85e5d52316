//! What an entry knows of people beyond their ids: addresses of the network, free text. It is kept
//! beside the entry, and the entry itself only commits to it, so that it can be erased without
//! touching the tree.

use ring::digest;
use serde_json::json;

use crate::domain::event::Personal;

/// What precedes salt and text, so that the commitment can be mistaken for no other hash.
const PREFIX: &[u8] = b"keylend personal data v1\n";

/// The text that is kept and committed to: a JSON object with its members in alphabetical order.
#[must_use]
pub fn text(personal: &Personal) -> String {
    let mut members = serde_json::Map::new();
    if let Some(address) = personal.network_address {
        members.insert("network_address".to_owned(), json!(address));
    }
    if let Some(note) = &personal.note {
        members.insert("note".to_owned(), json!(note));
    }
    serde_json::Value::Object(members).to_string()
}

/// What the entry says: SHA-256 over a prefix, the salt and the text. Salt and text
/// together prove that they belong to the entry; without the salt nothing can be guessed from it.
#[must_use]
pub fn commitment(personal: &Personal) -> [u8; 32] {
    commitment_of(&personal.salt, &text(personal))
}

/// The same of a salt and a text as they are kept.
#[must_use]
pub fn commitment_of(salt: &[u8], text: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(PREFIX);
    context.update(salt);
    context.update(text.as_bytes());
    let mut commitment = [0; 32];
    for (to, from) in commitment.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    commitment
}
