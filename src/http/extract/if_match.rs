//! The `If-Match` header (RFC 9110 section 13.1.1): which version of something is to be changed. Entity tags of this
//! service are versions: `"3"`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::http::problem::{Code, Problem};
use crate::service::{Expected, Violation};

/// So many entity tags may be named.
const TAGS_MAX: usize = 16;

/// What is to be changed, if it is still the version that was seen.
#[derive(Debug, Clone, PartialEq, Eq, utoipa::IntoParams)]
#[into_params(names("If-Match"), parameter_in = Header)]
pub struct IfMatch(
    /// The `ETag` of what is to be changed. Required: without it 428, and 412 if it was changed meanwhile.
    #[param(value_type = String, pattern = "^(\\*|(W/)?\"[^\"]*\"( *, *(W/)?\"[^\"]*\")*)$", example = "\"3\"")]
    pub Expected,
);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        expected(&parts.headers).map(Self)
    }
}

fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let lines: Vec<&str> = headers
        .get_all(header::IF_MATCH)
        .iter()
        .map(|line| line.to_str().map_err(|_| invalid()))
        .collect::<Result<_, _>>()?;
    match lines.as_slice() {
        [] => return Err(Problem::of(Code::PreconditionRequired)),
        [line] if line.trim() == "*" => return Ok(Expected::Any),
        _ => {}
    }
    let tags: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
    if tags.len() > TAGS_MAX {
        return Err(invalid());
    }
    let versions = tags.into_iter().map(version).collect::<Result<Vec<_>, _>>()?;
    Ok(Expected::OneOf(versions.into_iter().flatten().collect()))
}

/// The version that a tag names. A weak tag, and one that this service never gives, match nothing.
fn version(tag: &str) -> Result<Option<i64>, Problem> {
    let (is_weak, strong) = match tag.strip_prefix("W/") {
        Some(rest) => (true, rest),
        None => (false, tag),
    };
    let opaque = strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let opaque = opaque.filter(|text| !text.contains('"')).ok_or_else(invalid)?;
    let is_number = !opaque.is_empty() && opaque.bytes().all(|byte| byte.is_ascii_digit());
    Ok(opaque.parse().ok().filter(|_| !is_weak && is_number))
}

fn invalid() -> Problem {
    let detail = "must be entity tags as `ETag` gives them, such as \"3\"";
    Problem::invalid(vec![Violation::of("If-Match", "invalid", detail)])
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(lines: &[&str]) -> Result<Expected, Code> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        expected(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn versions_are_named_by_strong_tags() {
        let one_of = |versions: &[i64]| Ok(Expected::OneOf(versions.to_vec()));
        assert_eq!(of(&["\"3\""]), one_of(&[3]));
        assert_eq!(of(&["\"3\", \"4\"", " \"7\" "]), one_of(&[3, 4, 7]));
        assert_eq!(of(&["*"]), Ok(Expected::Any));
        for nothing in ["W/\"3\"", "\"\"", "\"x\"", "\"+3\"", "\"-3\"", "\"99999999999999999999\""]
        {
            assert_eq!(of(&[nothing]), one_of(&[]), "{nothing}");
        }
    }

    #[test]
    fn without_it_nothing_is_changed_and_nonsense_is_refused() {
        assert_eq!(of(&[]), Err(Code::PreconditionRequired));
        let many = ["\"1\""; TAGS_MAX + 1].join(",");
        let most = ["\"1\""; TAGS_MAX].join(",");
        assert_eq!(of(&[&most]), Ok(Expected::OneOf(vec![1; TAGS_MAX])));
        for wrong in ["", "3", "\"3", "\"3\"4\"", "*, \"3\"", "\"3\",", "é", &many] {
            assert_eq!(of(&[wrong]), Err(Code::ValidationFailed), "{wrong}");
        }
    }
}
