//! Typed identifiers: a UUIDv7 inside, a prefixed word on the wire (`grt_01j…`).
//!
//! The suffix is the 26-character Crockford base32 form of the UUID, lower case, as in the
//! TypeID specification. An id is a name, never a secret.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::domain::schema;
use crate::domain::time::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LENGTH: usize = 26;

/// The value of each byte as a digit; whatever is no digit has [`NO_DIGIT`].
const DIGITS: [u8; 256] = digits();
const NO_DIGIT: u8 = u8::MAX;

#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which would find it out")]
const fn digits() -> [u8; 256] {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while (value as usize) < ALPHABET.len() {
        digits[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    digits
}

/// What an id names: the prefix on the wire and the word in sentences.
pub trait Kind {
    /// The prefix on the wire, without the underscore.
    const PREFIX: &'static str;
    /// The word for people.
    const NOUN: &'static str;
    /// The name of its ids in the description of the API.
    const SCHEMA: &'static str;
}

/// The identifier of one `K`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// Names an existing UUID as an id of this kind.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The least id that can have been made at this time (RFC 9562 section 5.7: milliseconds come first).
    #[must_use]
    pub fn least_at(at: Timestamp) -> Self {
        let milliseconds = u128::try_from(at.as_unix_micros() / 1000).unwrap_or(0);
        Self::from_uuid(Uuid::from_u128(milliseconds << 80))
    }

    /// The UUID inside, as it is stored and as the facade shows it.
    #[must_use]
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal, $noun:literal;)*) => {
        /// The kinds of id, one marker type each.
        pub mod kind {
            $(
                $(#[$doc])*
                #[derive(Debug)]
                pub enum $kind {}
                impl super::Kind for $kind {
                    const PREFIX: &'static str = $prefix;
                    const NOUN: &'static str = $noun;
                    const SCHEMA: &'static str = stringify!($alias);
                }
            )*
        }
        $(
            $(#[$doc])*
            pub type $alias = Id<kind::$kind>;
        )*
    };
}

kinds! {
    /// An organization (tenant).
    Organization, OrganizationId, "org", "organization";
    /// A person.
    User, UserId, "usr", "user";
    /// A program that acts for an organization.
    ApiClient, ApiClientId, "key", "API client";
    /// A single-use link to an account without credentials.
    Claim, ClaimId, "clm", "claim";
    /// A signed-in session of a user: one family of refresh tokens.
    Session, SessionId, "ses", "session";
    /// A car.
    Vehicle, VehicleId, "veh", "vehicle";
    /// A connection: an owner's consent at the vehicle cloud.
    Connection, ConnectionId, "con", "connection";
    /// The right of one grantee to use one vehicle.
    Grant, GrantId, "grt", "grant";
    /// A pause of what grants allow.
    Hold, HoldId, "hld", "hold";
    /// An end of all grants within a scope.
    End, EndId, "end", "end";
    /// A guest's wish to keep a car for longer.
    ExtensionRequest, ExtensionRequestId, "ext", "extension request";
    /// One request to the car.
    Command, CommandId, "cmd", "command";
    /// One line of the record.
    AuditEntry, AuditEntryId, "evt", "audit entry";
    /// An address that events are sent to.
    WebhookEndpoint, WebhookEndpointId, "whe", "webhook endpoint";
    /// One running process of the service.
    Instance, InstanceId, "ins", "instance";
    /// One minted grant token or access token (`jti`).
    Token, TokenId, "tok", "token";
}

/// Why a text is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `{prefix}_` followed by 26 characters of Crockford base32")]
pub struct InvalidId {
    prefix: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { prefix: K::PREFIX };
        let suffix = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .filter(|suffix| suffix.len() == SUFFIX_LENGTH)
            .ok_or(invalid)?;
        let mut value: u128 = 0;
        for (position, byte) in suffix.bytes().enumerate() {
            let digit = DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
            // 26 digits hold 130 bits: the first may only use three of its five.
            if digit == NO_DIGIT || (position == 0 && digit > 7) {
                return Err(invalid);
            }
            value = (value << 5) | u128::from(digit);
        }
        Ok(Self::from_uuid(Uuid::from_u128(value)))
    }
}

impl<K: Kind> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        let example = format!("{}_01k0a6v8w5e3tb3q6m1x9r7yzn", K::PREFIX);
        schema::text(&format!("The id of one {}.", K::NOUN))
            .pattern(Some(format!("^{}$", schema::id_pattern(K::PREFIX))))
            .examples([example])
            .into()
    }
}

impl<K: Kind> ToSchema for Id<K> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(K::SCHEMA)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0.as_u128();
        let mut suffix = [b'0'; SUFFIX_LENGTH];
        for byte in suffix.iter_mut().rev() {
            *byte = ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'0');
            value >>= 5;
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(str::from_utf8(&suffix).unwrap_or_default())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;
    use proptest::prelude::*;

    /// Numbers of all lengths: of 128 random bits hardly ever one begins with zeroes.
    fn numbers() -> impl Strategy<Value = u128> {
        prop_oneof![
            Just(0),
            Just(u128::MAX),
            (any::<u128>(), 0_u32..128).prop_map(|(number, shift)| number >> shift),
        ]
    }

    proptest! {
        #[test]
        fn ids_made_before_a_time_are_less_than_its_least_and_the_others_are_not(
            (at, apart, random) in (2_000_i64..2_000_000_000_000, 0_i64..2_000, any::<u64>()),
        ) {
            let time = |milliseconds: i64| Timestamp::from_unix_micros(milliseconds * 1000).unwrap();
            let made = |milliseconds: i64| {
                let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
                let nanos = u32::try_from(rest * 1_000_000).unwrap();
                let seconds = u64::try_from(seconds).unwrap();
                let context = uuid::NoContext;
                let at = uuid::Timestamp::from_unix(context, seconds, nanos);
                let mut bytes = Uuid::new_v7(at).into_bytes();
                bytes[8..].copy_from_slice(&random.to_be_bytes());
                GrantId::from_uuid(Uuid::from_bytes(bytes))
            };
            prop_assert!(made(at - 1 - apart) < GrantId::least_at(time(at)));
            prop_assert!(made(at + apart) >= GrantId::least_at(time(at)));
        }

        #[test]
        fn every_id_survives_the_wire(value in numbers()) {
            let id = GrantId::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse::<GrantId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(json.as_str(), format!("\"{id:?}\""));
            prop_assert_eq!(serde_json::from_str::<GrantId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn only_the_canonical_spelling_is_accepted() {
        // A random text is never an id, so one that is gets one character changed.
        let texts = (numbers(), any::<prop::sample::Index>(), "[ -~]");
        let tally = Tally::of(4096, texts, |(value, at, other), tally| {
            let mut text = GrantId::from_uuid(Uuid::from_u128(value)).to_string();
            let at = at.index(text.len());
            text.replace_range(at..=at, &other);
            let parsed = text.parse::<GrantId>();
            tally.count(if parsed.is_ok() { "accepted" } else { "refused" });

            if let Ok(id) = parsed {
                prop_assert_eq!(id.to_string(), text);
            }
            Ok(())
        });
        tally.assert_each(600, ["accepted", "refused"]);
    }

    /// The first two are vectors of the TypeID specification.
    #[test]
    fn the_wire_form_is_that_of_the_specification() {
        for (suffix, uuid) in [
            ("01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
            ("0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        ] {
            let id = GrantId::from_uuid(uuid.parse().unwrap());
            assert_eq!(id.to_string(), format!("grt_{suffix}"));
            assert_eq!(format!("grt_{suffix}").parse(), Ok(id));
            assert_eq!(id.as_uuid().to_string(), uuid);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "grt",
            "grt_",
            "grt01h455vb4pex5vsknk084sn02q",
            "01h455vb4pex5vsknk084sn02q",
            "grt_01h455vb4pex5vsknk084sn02",
            "grt_01h455vb4pex5vsknk084sn02q0",
            "grt_01H455VB4PEX5VSKNK084SN02Q",
            "grt_01h455vb4pex5vsknk084sn02u",
            "grt_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert!(text.parse::<GrantId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_compare_as_what_they_name() {
        let id = |number| GrantId::from_uuid(Uuid::from_u128(number));
        assert!(id(1) < id(2) && id(2) > id(1) && id(1) == id(1) && id(1) != id(2));
        let set: std::collections::HashSet<GrantId> = [id(1), id(2), id(1)].into();
        assert_eq!(set.len(), 2);
        let hash = |number| {
            use std::hash::BuildHasher as _;
            std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default()
                .hash_one(id(number))
        };
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let vehicle = VehicleId::from_uuid(Uuid::from_u128(7)).to_string();
        assert!(vehicle.parse::<GrantId>().is_err());
    }
}
