//! Cursors: how far somebody has read the events of their organization. Positions count the entries of all organizations,
//! so a cursor is sealed: it says nothing of others, and is of use in its own organization alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::id::OrganizationId;
use crate::service::{Base, Error};
use crate::signing::sealed;

/// A cursor in its text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor(String);

/// What somebody has read already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing: begin with the oldest event that is kept.
    Start,
    /// Everything so far: begin with what happens from now on.
    End,
    /// All events up to this cursor.
    Cursor(EventCursor),
}

/// More than a cursor has.
const CURSOR_LENGTH_MAX: usize = 128;

impl After {
    /// Reads what a client sends: `start`, `end` or a cursor. Whether a cursor is one of ours shows when it is opened.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let is_cursor = |text: &str| {
            text.len() <= CURSOR_LENGTH_MAX
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        match text {
            "start" => Some(Self::Start),
            "end" => Some(Self::End),
            text => is_cursor(text).then(|| Self::Cursor(EventCursor(text.to_owned()))),
        }
    }
}

impl EventCursor {
    /// The cursor that has read everything before a position.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no randomness.
    pub fn seal(base: &Base, organization_id: OrganizationId, next: u64) -> Result<Self, Error> {
        let context = context(organization_id);
        let sealed = sealed::seal(&base.keys(), &*base.entropy, &context, &next.to_be_bytes());
        Ok(Self(URL_SAFE_NO_PAD.encode(sealed.map_err(Error::internal)?)))
    }

    /// The position that is read next; `None` unless the cursor is one of this organization's.
    pub(super) fn open(&self, base: &Base, organization_id: OrganizationId) -> Option<u64> {
        let sealed = URL_SAFE_NO_PAD.decode(&self.0).ok()?;
        let opened = sealed::open(&base.keys(), &context(organization_id), &sealed).ok()?;
        Some(u64::from_be_bytes(opened.as_slice().try_into().ok()?))
    }

    /// The text, as clients get it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn context(organization_id: OrganizationId) -> Vec<u8> {
    format!("events/{organization_id}").into_bytes()
}
