//! `GET /v1/events`: what happened, in order, as a page or as a stream.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{EventBody, stream};
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::published::EventType;
use crate::http::Gateway;
use crate::http::extract::{ApiQuery, Standing};
use crate::http::problem::Problem;
use crate::service::Violation;
use crate::service::events::{self, After, EventFilter};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 500;
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct EventQuery {
    /// What was read already: `start`, nothing; `end`, everything so far; or the `next_cursor` of an earlier answer. `start`
    /// if not sent. In a stream, `Last-Event-ID` takes its place.
    #[param(pattern = "^[A-Za-z0-9_-]{1,128}$", example = "start")]
    after: Option<String>,
    /// Only events of these types, separated by commas.
    #[param(value_type = Option<Vec<EventType>>, style = Form, explode = false, example = json!(["grant.revoked", "grant.ended"]))]
    r#type: Option<String>,
    /// Only events about this grant.
    grant_id: Option<GrantId>,
    /// Only events about this car.
    vehicle_id: Option<VehicleId>,
    /// Only events about this person.
    user_id: Option<UserId>,
    /// At most so many events; 100 if it is not sent. A stream has no end.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// Some events, in order.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EventList {
    /// The events, oldest first.
    data: Vec<EventBody>,
    /// Send it as `after` to get the events after these, now or later.
    next_cursor: String,
    /// Whether there are more already. A page may have fewer events than asked for, or none, and more may follow.
    has_more: bool,
}

/// What is asked for, once it is checked.
pub(super) struct Asked {
    pub(super) after: After,
    pub(super) filter: EventFilter,
    limit: usize,
}

impl EventQuery {
    fn check(self, last_event_id: Option<&str>) -> Result<Asked, Problem> {
        let mut violations = Vec::new();
        let (place, after) = match last_event_id {
            Some(id) => ("Last-Event-ID", After::of(id)),
            None => ("?after", After::of(self.after.as_deref().unwrap_or("start"))),
        };
        if after.is_none() {
            let detail = "must be `start`, `end` or a cursor of an earlier answer";
            violations.push(Violation::of(place, "invalid", detail));
        }
        let types = types(self.r#type.as_deref(), &mut violations);
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let detail = format!("must be a number from 1 to {LIMIT_MAX}");
            violations.push(Violation::of("?limit", "invalid", detail));
        }
        let Self { grant_id, vehicle_id, user_id, .. } = self;
        match after.filter(|_| violations.is_empty()) {
            Some(after) => {
                let filter = EventFilter { types, grant_id, vehicle_id, user_id };
                Ok(Asked { after, filter, limit })
            }
            None => Err(Problem::invalid(violations)),
        }
    }
}

/// The types of a list that is separated by commas.
fn types(list: Option<&str>, violations: &mut Vec<Violation>) -> Vec<EventType> {
    let Some(list) = list else { return Vec::new() };
    let types: Result<Vec<EventType>, _> = list.split(',').map(str::parse).collect();
    types.unwrap_or_else(|unknown| {
        violations.push(Violation::of("?type", "invalid", unknown));
        Vec::new()
    })
}

/// Whether a client asks for a stream (WHATWG HTML, section 9.2).
fn wants_stream(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepts
        .flat_map(|value| value.split(','))
        .map(|part| part.split(';').next().unwrap_or_default().trim());
    types.any(|media_type| media_type.eq_ignore_ascii_case("text/event-stream"))
}

/// Read what happened, oldest first: all of it for the organization, and for people what concerns them and their cars. With
/// `Accept: text/event-stream` the answer has no end: it is the same events as they happen, each with its cursor as its id, until
/// the credentials are no longer good.
#[utoipa::path(get, path = "/v1/events", operation_id = "events.list", tag = "events",
    security(("session" = []), ("api_client" = ["events:read"])),
    params(EventQuery, ("Last-Event-ID" = Option<String>, Header, description = "For a stream: the id of the last event that arrived.")),
    responses((status = 200, description = "The events.", content(
        (EventList = "application/json"), (String = "text/event-stream")))))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    standing: Standing,
    headers: HeaderMap,
    ApiQuery(query): ApiQuery<EventQuery>,
) -> Result<Response, Problem> {
    let caller = standing.caller(&gateway).await?;
    let is_stream = wants_stream(&headers);
    let last = headers.get(LAST_EVENT_ID).filter(|_| is_stream);
    let last = last.map(|value| value.to_str().unwrap_or_default());
    let asked = query.check(last)?;
    let base = &gateway.service.base;
    let from = events::start(base, &caller, &asked.after).await?;
    if is_stream {
        return stream::open(gateway, standing, caller, asked.filter, from).await;
    }
    let page = events::read(base, &caller, &asked.filter, from, asked.limit).await?;
    let (cursor, has_more) = (page.cursor(base, &caller)?, page.has_more);
    let data = page.events.into_iter().map(|(_, event)| event.into()).collect();
    let list = EventList { data, next_cursor: cursor.as_str().to_owned(), has_more };
    Ok(Json(list).into_response())
}
