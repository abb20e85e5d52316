//! Lists of API v2.0, page after page.

use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::{V2, bounds, classify, decode};
use crate::connector::ConnectorError;
use crate::smartcar::v2;

/// Entries asked for at a time: the most that the cloud gives.
const PAGE_ENTRIES: usize = v2::PAGE_LIMIT_MAX as usize;

/// Reads page after page. Every page but the last must be full and bring only new entries, which
/// bounds the number of requests.
pub(super) async fn read<T: DeserializeOwned>(
    cloud: &V2,
    token: &SecretString,
    url: &str,
    split: fn(T) -> (Vec<String>, v2::Paging),
    is_fit: fn(&str) -> bool,
) -> Result<Vec<String>, ConnectorError> {
    let mut all: Vec<String> = Vec::new();
    while all.len() < bounds::LIST_ENTRIES_MAX {
        let page_url = format!("{url}?limit={PAGE_ENTRIES}&offset={}", all.len());
        let answer = cloud.get(token, &page_url).await?;
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
