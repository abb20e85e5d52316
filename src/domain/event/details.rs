//! What is recorded about an event beside its subjects: words, times and counts.

use serde_json::{Map, Value, json};

use crate::domain::amendment::Terms;
use crate::domain::cause::Cause;
use crate::domain::event::Event;
use crate::domain::policy::Basis;

impl Event {
    /// What else is recorded about it.
    #[must_use]
    pub fn details(&self) -> Map<String, Value> {
        let (account, of_cars) = (self.details_of_account(), || self.details_of_cars());
        let of_rights = || self.details_of_rights();
        match account.or_else(of_cars).or_else(of_rights).or_else(|| self.details_of_use()) {
            Some(Value::Object(details)) => details,
            _ => Map::new(),
        }
    }

    /// Events about accounts, sessions, API clients and addresses.
    fn details_of_account(&self) -> Option<Value> {
        Some(match self {
            Self::RecordRollbackAccepted { signed, found } => {
                json!({ "signed": signed, "found": found })
            }
            Self::RecordArchived { first, entries } => {
                json!({ "first": first, "entries": entries })
            }
            Self::UserCreated { role, .. } => json!({ "role": role }),
            Self::UserDescribed { changed, .. } => json!({ "changed": changed }),
            Self::DeviceKeyRevoked { device_key, .. } => json!({ "device_key": device_key }),
            Self::SessionCreated { session_id, .. } | Self::SessionRefreshed { session_id, .. } => {
                json!({ "session_id": session_id })
            }
            Self::ClaimCreated { claim_id, purpose, has_pin, expires_at, .. } => json!({
                "claim_id": claim_id,
                "purpose": purpose,
                "has_pin": has_pin,
                "expires_at": expires_at,
            }),
            Self::ClaimRedeemed { claim_id, purpose, restricted, .. } => {
                json!({ "claim_id": claim_id, "purpose": purpose, "restricted": restricted })
            }
            Self::ClaimRefused { claim_id, reason, .. } => {
                json!({ "claim_id": claim_id, "reason": reason })
            }
            Self::SessionRefused { reason, .. } => json!({ "reason": reason }),
            Self::SessionEnded { session_id, reason, .. } => {
                json!({ "session_id": session_id, "reason": reason })
            }
            Self::ApiClientCreated { api_client_id, scopes } => {
                json!({ "api_client_id": api_client_id, "scopes": scopes })
            }
            Self::ApiClientRevoked { api_client_id }
            | Self::ApiClientAllowed { api_client_id, .. }
            | Self::ApiClientDisallowed { api_client_id, .. } => {
                json!({ "api_client_id": api_client_id })
            }
            Self::UserMoved { api_client_id, successor_id, .. } => {
                json!({ "api_client_id": api_client_id, "successor_id": successor_id })
            }
            Self::ApiClientSecretRotated { api_client_id, until } => {
                json!({ "api_client_id": api_client_id, "previous_until": until })
            }
            Self::ApiClientTokenIssued { api_client_id, token_id } => {
                json!({ "api_client_id": api_client_id, "token_id": token_id })
            }
            Self::ApiClientRefused { api_client_id, reason } => {
                json!({ "api_client_id": api_client_id, "reason": reason })
            }
            Self::WebhookEndpointChanged { webhook_endpoint_id, change } => {
                change.details(*webhook_endpoint_id)
            }
            Self::ReturnUrlsReplaced { count } | Self::AllowedOriginsReplaced { count } => {
                json!({ "count": count })
            }
            _ => return None,
        })
    }

    /// Events about consents and cars.
    fn details_of_cars(&self) -> Option<Value> {
        Some(match self {
            Self::ConnectionStarted { connection_id, .. }
            | Self::ConnectionReauthenticationStarted { connection_id, .. }
            | Self::ConnectionReauthenticated { connection_id, .. }
            | Self::ConnectionCodeRefused { connection_id, .. }
            | Self::ConnectionRefreshed { connection_id } => {
                json!({ "connection_id": connection_id })
            }
            Self::ConnectionCompleted { connection_id, vehicles, .. }
            | Self::ConnectionConsented { connection_id, vehicles, .. }
            | Self::ConnectionEnded { connection_id, vehicles, .. } => {
                json!({ "connection_id": connection_id, "vehicles": vehicles })
            }
            Self::ConnectionFailed { connection_id, reason, .. }
            | Self::ConnectionLost { connection_id, reason, .. } => {
                json!({ "connection_id": connection_id, "reason": reason.word() })
            }
            Self::VehicleConnected { connection_id, .. } => {
                json!({ "connection_id": connection_id })
            }
            Self::VehiclePermissionsChanged { permissions, .. } => {
                json!({ "permissions": permissions.iter().collect::<Vec<_>>() })
            }
            Self::VehicleDescribed { changed, .. } => json!({ "changed": changed }),
            Self::VehicleTransfer { step, .. } => step.details(),
            Self::VehicleSuspended { reason, .. } => json!({ "reason": reason.word() }),
            _ => return None,
        })
    }

    /// Events about grants and holds.
    fn details_of_rights(&self) -> Option<Value> {
        Some(match self {
            Self::GrantVehicleImpaired { reason, grant_revision, .. } => {
                json!({ "reason": reason.word(), "grant_revision": grant_revision })
            }
            Self::GrantVehicleRestored { grant_revision, .. } => {
                json!({ "grant_revision": grant_revision })
            }
            Self::GrantIssued { terms, instead_of, .. } => {
                let mut details = details_of_terms(terms);
                details.insert("instead_of".to_owned(), json!(instead_of));
                Value::Object(details)
            }
            Self::GrantAmended { terms, effect, grant_revision, in_flight, .. } => {
                let mut details = details_of_terms(terms);
                details.insert("effect".to_owned(), json!(effect));
                details.insert("grant_revision".to_owned(), json!(grant_revision));
                details.insert("in_flight".to_owned(), json!(in_flight));
                Value::Object(details)
            }
            Self::GrantEnded { end_reason, grant_revision, end_id, .. } => json!({
                "end_reason": end_reason,
                "grant_revision": grant_revision,
                "end_id": end_id,
            }),
            Self::EndBegun { end_id, scope, end_reason, .. } => {
                json!({ "end_id": end_id, "scope": scope.kind(), "end_reason": end_reason })
            }
            Self::EndCompleted { end_id, scope, grants } => {
                json!({ "end_id": end_id, "scope": scope.kind(), "grants": grants })
            }
            Self::GrantRevoked { in_flight, grant_revision, leave_lock, .. } => json!({
                "grant_revision": grant_revision,
                "leave_lock": leave_lock,
                "in_flight": in_flight,
            }),
            Self::ExtensionRequested { extension_request_id, not_after, .. } => {
                json!({ "extension_request_id": extension_request_id, "not_after": not_after })
            }
            Self::ExtensionDecided { extension_request_id, decision, .. } => {
                json!({ "extension_request_id": extension_request_id, "decision": decision })
            }
            Self::GrantRelinquished { grant_revision, criteria, .. } => {
                let criteria = criteria.iter().map(|(code, met)| (code.to_string(), json!(met)));
                let criteria: Map<String, Value> = criteria.collect();
                json!({ "grant_revision": grant_revision, "criteria": criteria })
            }
            Self::HoldPlaced { hold_id, scope, rank, until, allow_lock, in_flight, .. } => json!({
                "hold_id": hold_id,
                "scope": scope.kind(),
                "rank": rank,
                "until": until,
                "allow_lock": allow_lock,
                "in_flight": in_flight,
            }),
            Self::GrantDue { due, grant_revision, .. } => due.details(*grant_revision),
            Self::HoldEnded { hold_id, scope, rank, .. } => {
                json!({ "hold_id": hold_id, "scope": scope.kind(), "rank": rank })
            }
            Self::GrantTokenMinted { token_id, device_key, expires_at, .. } => json!({
                "token_id": token_id,
                "device_key": device_key,
                "expires_at": expires_at,
            }),
            Self::GrantTokenEnded { token_id, grant_revision, .. } => {
                json!({ "token_id": token_id, "grant_revision": grant_revision })
            }
            _ => return None,
        })
    }

    /// Events about commands and readings.
    fn details_of_use(&self) -> Option<Value> {
        Some(match self {
            Self::CommandAuthorized { action, basis, rests_on, .. } => {
                let basis = match basis {
                    Basis::Ownership => "ownership",
                    Basis::Grant(_) => "grant",
                };
                json!({ "action": action, "basis": basis, "rests_on": rests_on })
            }
            Self::CommandRefused { action, reasons, rests_on, .. } => {
                json!({ "action": action, "reasons": reasons, "rests_on": rests_on })
            }
            Self::RefusalsCounted { commands, reads, since, until, .. } => {
                json!({ "commands": commands, "reads": reads, "since": since, "until": until })
            }
            Self::CommandChanged { action, evidence, causes, .. } => {
                let reasons: Vec<&str> = causes.iter().flat_map(Cause::words).collect();
                json!({ "action": action, "evidence": evidence, "reasons": reasons })
            }
            Self::VehicleRead { observable, rests_on, .. } => json!({
                "observable": observable,
                "entitlement": observable.entitlement(),
                "rests_on": rests_on,
            }),
            Self::VehicleReadRefused { observable, reasons, rests_on, .. } => json!({
                "observable": observable,
                "entitlement": observable.entitlement(),
                "reasons": reasons,
                "rests_on": rests_on,
            }),
            _ => return None,
        })
    }
}

/// What a grant allows from then on.
fn details_of_terms(terms: &Terms) -> Map<String, Value> {
    let Terms { entitlements, validity, grace, uses_max, require_device_key } = terms;
    let entitlements: Vec<_> = entitlements.iter().collect();
    let details = [
        ("entitlements", json!(entitlements)),
        ("not_before", json!(validity.not_before())),
        ("not_after", json!(validity.not_after())),
        ("grace_minutes", json!(grace)),
        ("max_uses", json!(uses_max)),
        ("require_device_key", json!(require_device_key)),
    ];
    details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
