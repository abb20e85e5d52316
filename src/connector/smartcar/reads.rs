//! What successful answers prove: decodes them and refuses those that are not about what was
//! asked for, or whose words are not fit to be stored.
//!
//! It knows the bodies of API v2.0. It does not know how they were fetched, apart from asking
//! for the next page of a list.

use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::{Smartcar, classify, decode, is_vehicle_id};
use crate::connector::transport::Answer;
use crate::connector::{Acknowledgement, Attributes, ConnectorError, LockStatus, Opening};
use crate::domain::time::Timestamp;
use crate::smartcar::v2;

/// Lists are read up to here; an owner with more cars shares the first of them.
const LIST_ENTRIES_MAX: usize = 500;
/// Entries asked for at a time: the most that the cloud gives.
const PAGE_ENTRIES: usize = v2::PAGE_LIMIT_MAX as usize;
/// The longest make or model.
const NAME_CHARS_MAX: usize = 100;
/// The years of makes that can be right.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;
/// The most doors, windows or lids of one kind.
const OPENINGS_MAX: usize = 32;

/// The ids of all cars.
pub(super) async fn vehicles(
    cloud: &Smartcar,
    access_token: &SecretString,
) -> Result<Vec<String>, ConnectorError> {
    let split = |list: v2::VehicleList| (list.vehicles, list.paging);
    list(cloud, access_token, &cloud.vehicles_url, split, is_vehicle_id).await
}

/// The names of the permissions given for one car.
pub(super) async fn permissions(
    cloud: &Smartcar,
    access_token: &SecretString,
    url: &str,
) -> Result<Vec<String>, ConnectorError> {
    let split = |list: v2::PermissionList| (list.permissions, list.paging);
    list(cloud, access_token, url, split, is_word).await
}

/// Reads page after page. Every page but the last must be full and bring only new entries, which
/// bounds the number of requests.
async fn list<T: DeserializeOwned>(
    cloud: &Smartcar,
    access_token: &SecretString,
    url: &str,
    split: fn(T) -> (Vec<String>, v2::Paging),
    is_fit: fn(&str) -> bool,
) -> Result<Vec<String>, ConnectorError> {
    let mut all: Vec<String> = Vec::new();
    while all.len() < LIST_ENTRIES_MAX {
        let page_url = format!("{url}?limit={PAGE_ENTRIES}&offset={}", all.len());
        let answer = cloud.get(access_token, &page_url).await?;
        let (page, paging) = split(decode(&answer)?);
        let entries = page.len();
        if usize::try_from(paging.offset) != Ok(all.len()) || entries > PAGE_ENTRIES {
            return Err(classify::garbled(&answer, "not the page asked for"));
        }
        for entry in page {
            if !is_fit(&entry) {
                return Err(classify::garbled(&answer, "a list entry with strange characters"));
            }
            if all.contains(&entry) {
                return Err(classify::garbled(&answer, "a list entry for the second time"));
            }
            all.push(entry);
        }
        let count = usize::try_from(paging.count).unwrap_or(usize::MAX);
        if all.len() > count {
            return Err(classify::garbled(&answer, "a list longer than its count"));
        }
        if all.len() == count {
            break;
        }
        if entries < PAGE_ENTRIES {
            return Err(classify::garbled(&answer, "a list shorter than its count"));
        }
    }
    Ok(all)
}

/// Make, model and year, if they are about `vehicle`.
pub(super) fn attributes(answer: &Answer, vehicle: &str) -> Result<Attributes, ConnectorError> {
    let body: v2::Attributes = decode(answer)?;
    if body.id != vehicle {
        return Err(classify::garbled(answer, "an answer about another car"));
    }
    if !is_name(&body.make) || !is_name(&body.model) || !YEARS.contains(&body.year) {
        return Err(classify::garbled(answer, "a make, model or year that cannot be right"));
    }
    Ok(Attributes { make: body.make, model: body.model, year: body.year })
}

/// The cloud took a command only if it says so in its body.
pub(super) fn acknowledgement(answer: &Answer) -> Result<Acknowledgement, ConnectorError> {
    let body: v2::StatusAnswer = decode(answer)?;
    if !body.status.eq_ignore_ascii_case(v2::ACTION_STATUS) {
        return Err(classify::garbled(answer, "a status other than success"));
    }
    Ok(Acknowledgement { provider_request_id: classify::request_id(&answer.headers) })
}

/// Whether the car is locked. An age that cannot be read counts as unknown.
pub(super) fn lock_status(answer: &Answer) -> Result<LockStatus, ConnectorError> {
    let body: v2::Security = decode(answer)?;
    let unfit = || classify::garbled(answer, "doors or windows that cannot be right");
    Ok(LockStatus {
        is_locked: body.is_locked,
        doors: openings(body.doors).ok_or_else(unfit)?,
        windows: openings(body.windows).ok_or_else(unfit)?,
        sunroof: openings(body.sunroof).ok_or_else(unfit)?,
        storage: openings(body.storage).ok_or_else(unfit)?,
        charging_port: openings(body.charging_port).ok_or_else(unfit)?,
        observed_at: data_age(answer),
    })
}

fn openings(parts: Vec<v2::Part>) -> Option<Vec<Opening>> {
    let fit = parts.len() <= OPENINGS_MAX
        && parts.iter().all(|part| is_word(&part.kind) && is_word(&part.status));
    fit.then(|| {
        parts.into_iter().map(|part| Opening { place: part.kind, status: part.status }).collect()
    })
}

fn data_age(answer: &Answer) -> Option<Timestamp> {
    let text = answer.headers.get(v2::HEADER_DATA_AGE)?.to_str().ok()?;
    text.parse().ok()
}

fn is_word(text: &str) -> bool {
    const BYTES_MAX: usize = 64;
    (1..=BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'.'))
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
#[path = "reads_test.rs"]
mod tests;
