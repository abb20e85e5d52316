//! People: who they are to the service. Owner and guest are relations to a car, not roles.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::id::{OrganizationId, UserId};
use crate::domain::principal::PrincipalId;
use crate::domain::schema;
use crate::domain::time::Timestamp;

words! {
    /// What a person may do in their organization.
    Role {
        /// Manages people and API clients, revokes grants, reads the record.
        Admin = "admin",
        /// Sees everything of the organization and ends keys; opens nothing and issues nothing.
        Support = "support",
        /// Reads the record and its proofs.
        Auditor = "auditor",
        /// Owns cars, lends and borrows.
        Member = "member",
    }
}

words! {
    /// Whether an account can be used.
    AccountStatus {
        /// It can, once its person has claimed it.
        Open = "open",
        /// An administrator has closed it, or it was erased.
        Closed = "closed",
    }
}

/// A person as the service knows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Identifies the person, also in the record; UUIDv7.
    pub user_id: UserId,
    /// The organization they belong to.
    pub organization_id: OrganizationId,
    /// The e-mail address with which they sign in; unique within the organization.
    pub email: Email,
    /// The name that other people see.
    pub display_name: ShortText,
    /// What they may do.
    pub role: Role,
    /// Who made the account.
    pub created_by: PrincipalId,
    /// Since when the person has had credentials of their own.
    pub claimed_at: Option<Timestamp>,
    /// Who gave the account new credentials last, if somebody else did.
    pub recovery: Option<Recovery>,
    /// Since when they may not do anything any more.
    pub disabled_at: Option<Timestamp>,
    /// The organization's own name for them; no other account of the organization has it.
    pub external_ref: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
impl User {
    /// A member whom the operator made.
    pub(crate) fn example() -> Self {
        let id = uuid::Uuid::from_u128(1);
        Self {
            user_id: UserId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(id),
            email: Email("kim@example.com".to_owned()),
            display_name: ShortText("Kim".to_owned()),
            role: Role::Member,
            created_by: PrincipalId::System,
            claimed_at: None,
            recovery: None,
            disabled_at: None,
            external_ref: None,
            created_at: Timestamp::from_unix_seconds(1_800_000_000).unwrap(),
        }
    }
}

/// New credentials that somebody else gave an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Who made the claim.
    pub made_by: PrincipalId,
    /// When it was redeemed.
    pub redeemed_at: Timestamp,
}

/// Why a text is not acceptable in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidText(&'static str);

impl InvalidText {
    /// A refusal with a sentence for the client.
    #[must_use]
    pub const fn because(why: &'static str) -> Self {
        Self(why)
    }
}

/// An address in the form `local@domain`, lower case; whether mail arrives is not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

described!(
    Email,
    schema::text("An e-mail address.")
        .pattern(Some("^[^@\\s]+@[^@\\s]+$"))
        .max_length(Some(Email::LENGTH_MAX))
        .examples(["kim@example.com"])
);

impl Email {
    /// RFC 5321 section 4.5.3.1 with RFC 3696 erratum 1690: no path is longer.
    pub const LENGTH_MAX: usize = 254;

    /// The normalized address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        const INVALID: InvalidText =
            InvalidText("must be an e-mail address such as kim@example.com");
        if text.len() > Self::LENGTH_MAX
            || text.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err(INVALID);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(INVALID)?;
        let domain_is_sound = domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        if local.is_empty() || local.contains('@') || !domain_is_sound {
            return Err(INVALID);
        }
        Ok(Self(text.to_lowercase()))
    }
}

/// A short text for people to read: trimmed, not empty, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShortText(String);

described!(
    ShortText,
    schema::text("A short text for people, without control characters.")
        .min_length(Some(1))
        .max_length(Some(ShortText::LENGTH_MAX))
);

impl ShortText {
    /// In Unicode code points.
    pub const LENGTH_MAX: usize = 120;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShortText {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::LENGTH_MAX {
            return Err(InvalidText("must have 1 to 120 characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidText("must not contain control characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A text of several lines for people to read: trimmed, not empty, no control characters but line breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LongText(String);

described!(
    LongText,
    schema::text("A text for people, of one or more lines.")
        .min_length(Some(1))
        .max_length(Some(LongText::LENGTH_MAX))
);

impl LongText {
    /// In Unicode code points.
    pub const LENGTH_MAX: usize = 2000;
}

impl FromStr for LongText {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::LENGTH_MAX {
            return Err(InvalidText("must have 1 to 2000 characters"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(InvalidText("must not contain control characters but line breaks"));
        }
        Ok(Self(text.to_owned()))
    }
}

macro_rules! checked_texts {
    ($($text:ident),*) => {
        $(
            impl TryFrom<String> for $text {
                type Error = InvalidText;
                fn try_from(text: String) -> Result<Self, InvalidText> {
                    text.parse()
                }
            }
            impl From<$text> for String {
                fn from(text: $text) -> Self {
                    text.0
                }
            }
        )*
    };
}

checked_texts!(Email, ShortText, LongText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case() {
        let email: Email = "Kim.Doe@Example.COM".parse().unwrap();
        assert_eq!(email.as_str(), "kim.doe@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c.de",
            "a@b..c",
            "a\n@b.c",
            "a@b c",
            "a\u{7}@b.c",
            "a@b.",
            "a@.b",
            "a@b_c",
            "a@b.c\u{1680}",
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_has_at_most_254_bytes() {
        let address = |length: usize| format!("{}@example-1.com", "a".repeat(length - 14));
        assert_eq!(address(254).parse::<Email>().unwrap().as_str(), address(254));
        assert!(address(255).parse::<Email>().is_err());
    }

    #[test]
    fn a_name_has_1_to_120_characters() {
        for length in [1, 120] {
            let name = "\u{e9}".repeat(length);
            assert_eq!(format!(" {name} ").parse::<ShortText>().unwrap().as_str(), name);
        }
        for refused in [String::new(), " ".to_owned(), "a".repeat(121)] {
            assert!(refused.parse::<ShortText>().is_err(), "{refused:?}");
        }
    }

    #[test]
    fn stored_texts_are_checked_when_they_are_read() {
        let email: Email = serde_json::from_str(r#""Kim@example.com""#).unwrap();
        assert_eq!(serde_json::to_string(&email).unwrap(), r#""kim@example.com""#);
        assert!(serde_json::from_str::<Email>(r#""kim""#).is_err());
        let name: ShortText = serde_json::from_str(r#"" Kim ""#).unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""Kim""#);
        assert!(serde_json::from_str::<ShortText>(r#""""#).is_err());
    }

    #[test]
    fn names_cannot_forge_log_lines() {
        assert!("Kim\r\nadmin".parse::<ShortText>().is_err());
        assert_eq!("  Kim ".parse::<ShortText>().unwrap().as_str(), "Kim");
    }

    #[test]
    fn a_long_text_has_lines_and_an_end() {
        let text = |text: &str| text.parse::<LongText>().map(String::from).ok();
        assert_eq!(
            text(" Level 2,\nnext to the lift. "),
            Some("Level 2,\nnext to the lift.".into())
        );
        assert!(text(&"x".repeat(LongText::LENGTH_MAX)).is_some());
        for wrong in ["", " \n ", "a\u{0}b", "a\tb", "a\rb", &"x".repeat(LongText::LENGTH_MAX + 1)]
        {
            assert_eq!(text(wrong), None, "{wrong:?}");
        }
    }
}
