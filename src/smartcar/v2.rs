//! Requests and answers of API v2.0 and of its token endpoint. Field names are those of the wire;
//! unknown fields are ignored by readers. What goes wrong is in [`super::error`].

use serde::{Deserialize, Serialize};

/// Header: the cloud's own name of the request, a UUID, on every answer.
pub const HEADER_REQUEST_ID: &str = "sc-request-id";
/// Header: when the car reported what is answered, ISO 8601.
pub const HEADER_DATA_AGE: &str = "sc-data-age";
/// Header: when the cloud fetched what is answered, ISO 8601.
pub const HEADER_FETCHED_AT: &str = "sc-fetched-at";
/// Header: `metric` or `imperial`, in requests and in answers.
pub const HEADER_UNIT_SYSTEM: &str = "sc-unit-system";

/// The message of every successful command.
pub const ACTION_MESSAGE: &str = "Successfully sent request to vehicle";
/// The status of every successful command.
pub const ACTION_STATUS: &str = "success";
/// How long an access token lives, in seconds.
pub const ACCESS_TOKEN_LIFETIME_S: u64 = 7200;
/// How many entries a page has if the request names no limit.
pub const PAGE_LIMIT_DEFAULT: u32 = 10;
/// How many entries a page has at most.
pub const PAGE_LIMIT_MAX: u32 = 50;

/// Answer of the token endpoint, to an exchange and to a refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// Sent with each call.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// Usable once, for the next pair.
    pub refresh_token: String,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Entries of the whole list, not of the page.
    pub count: u32,
    /// Entries before the page.
    pub offset: u32,
}

/// Answer of `GET /user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The cloud's id of the owner.
    pub id: String,
}

/// Answer of `GET /vehicles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VehicleList {
    /// Ids of cars.
    pub vehicles: Vec<String>,
    /// Where this page stands.
    pub paging: Paging,
}

/// Answer of `GET /vehicles/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The cloud's id of the car.
    pub id: String,
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year; a number, although one documented example shows a text.
    #[serde(deserialize_with = "year")]
    pub year: i32,
}

fn year<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Year {
        Number(i32),
        Text(String),
    }
    match Year::deserialize(deserializer)? {
        Year::Number(year) => Ok(year),
        Year::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

/// Answer of `GET /vehicles/{id}/vin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vin {
    /// Seventeen characters.
    pub vin: String,
}

/// Answer of `GET /vehicles/{id}/permissions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionList {
    /// Names as in [`super::permission`].
    pub permissions: Vec<String>,
    /// Where this page stands.
    pub paging: Paging,
}

/// Answer of `GET /vehicles/{id}/security`. A maker that reports only the lock leaves the lists
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// `true` if all doors are locked.
    pub is_locked: bool,
    /// Doors: `frontLeft`, `frontRight`, `backLeft`, `backRight`.
    #[serde(default)]
    pub doors: Vec<Part>,
    /// Windows, named as the doors.
    #[serde(default)]
    pub windows: Vec<Part>,
    /// The sunroof.
    #[serde(default)]
    pub sunroof: Vec<Part>,
    /// `front` and `rear`.
    #[serde(default)]
    pub storage: Vec<Part>,
    /// The charging port.
    #[serde(default)]
    pub charging_port: Vec<Part>,
}

/// Something that opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which one.
    #[serde(rename = "type")]
    pub kind: String,
    /// `OPEN`, `CLOSED` or `UNKNOWN`.
    pub status: String,
}

impl Part {
    /// A part that is closed.
    #[must_use]
    pub fn closed(kind: &str) -> Self {
        Self { kind: kind.to_owned(), status: "CLOSED".to_owned() }
    }
}

/// What a car can be told about its doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SecurityAction {
    /// Lock all doors.
    Lock,
    /// Unlock all doors.
    Unlock,
}

/// Body of `POST /vehicles/{id}/security`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// What the car is told.
    pub action: SecurityAction,
}

/// Answer to every command that the cloud took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionAnswer {
    /// [`ACTION_STATUS`].
    pub status: String,
    /// [`ACTION_MESSAGE`].
    pub message: String,
}

impl ActionAnswer {
    /// The documented answer.
    #[must_use]
    pub fn success() -> Self {
        Self { status: ACTION_STATUS.to_owned(), message: ACTION_MESSAGE.to_owned() }
    }
}

/// Answer of `DELETE /vehicles/{id}/application`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// [`ACTION_STATUS`].
    pub status: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn round<T>(value: serde_json::Value)
    where
        T: Serialize + serde::de::DeserializeOwned,
    {
        let typed: T = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), value);
    }

    #[test]
    fn documented_bodies_survive_a_round_trip() {
        round::<TokenAnswer>(json!({"access_token": "a", "token_type": "Bearer",
            "expires_in": 7200, "refresh_token": "r"}));
        round::<User>(json!({"id": "u"}));
        round::<VehicleList>(json!({"vehicles": ["v"], "paging": {"count": 1, "offset": 0}}));
        round::<Attributes>(json!({"id": "v", "make": "TESLA", "model": "Model 3", "year": 2024}));
        round::<PermissionList>(
            json!({"permissions": ["read_vin"], "paging": {"count": 1, "offset": 0}}),
        );
        round::<Security>(json!({"isLocked": true,
            "doors": [{"type": "frontLeft", "status": "CLOSED"}], "windows": [], "sunroof": [],
            "storage": [], "chargingPort": [{"type": "chargingPort", "status": "UNKNOWN"}]}));
        round::<ActionRequest>(json!({"action": "LOCK"}));
        round::<ActionRequest>(json!({"action": "UNLOCK"}));
        assert_eq!(
            serde_json::to_value(ActionAnswer::success()).unwrap(),
            json!({"status": "success", "message": "Successfully sent request to vehicle"})
        );
    }

    #[test]
    fn a_year_may_be_a_text_and_lists_may_be_missing() {
        let text = json!({"id": "v", "make": "BMW", "model": "i3", "year": "2020"});
        assert_eq!(serde_json::from_value::<Attributes>(text).unwrap().year, 2020);
        let only_lock: Security = serde_json::from_value(json!({"isLocked": false})).unwrap();
        assert!(!only_lock.is_locked && only_lock.doors.is_empty());
        assert!(serde_json::from_value::<Security>(json!({"doors": []})).is_err());
    }

    #[test]
    fn tokens_do_not_show_in_debug_texts() {
        let answer = TokenAnswer {
            access_token: "hidden".into(),
            token_type: "Bearer".into(),
            expires_in: 1,
            refresh_token: "hidden".into(),
        };
        assert!(!format!("{answer:?}").contains("hidden"));
    }
}
