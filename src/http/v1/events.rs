//! Events: what happened, in order, as a list and as a stream.

pub(in crate::http) mod list;
mod stream;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema as AnySchema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::actor::Actor;
use crate::domain::extension::ExtensionDecision;
use crate::domain::id::{AuditEntryId, OrganizationId};
use crate::domain::principal::PrincipalId;
use crate::domain::principal::PrincipalKind;
use crate::domain::published::{EventType, Form, Member};
use crate::domain::schema::id_pattern;
use crate::domain::time::Timestamp;
use crate::service::events::PublishedEvent;

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EventBody {
    /// Identifies the event; also the id of its entry in the record. It is the same however often it is told.
    #[schema(example = "evt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    event_id: AuditEntryId,
    /// What happened.
    #[serde(rename = "type")]
    event_type: EventType,
    /// When it happened.
    timestamp: Timestamp,
    /// The ids of what it is about, and what else is told of it; which members that are depends on the type.
    #[schema(value_type = EventData)]
    data: Map<String, Value>,
}

impl From<PublishedEvent> for EventBody {
    fn from(event: PublishedEvent) -> Self {
        Self {
            event_id: event.event_id,
            event_type: event.event_type,
            timestamp: event.timestamp,
            data: event.data,
        }
    }
}

/// What is told of an event: every member that any type has.
struct EventData;

impl PartialSchema for EventData {
    fn schema() -> RefOr<AnySchema> {
        let members = Member::ALL.iter().fold(ObjectBuilder::new(), |data, &member| {
            data.property(member.as_str(), of_member(member))
        });
        let meaning = "What is told of an event. docs/events.md says which members each type has; a member without a \
            value is left out.";
        RefOr::T(Schema::Object(members.description(Some(meaning)).build()))
    }
}

impl ToSchema for EventData {
    fn schemas(schemas: &mut Vec<(String, RefOr<AnySchema>)>) {
        let word = |schemas: &mut Vec<_>, name: Cow<'static, str>, schema| {
            schemas.push((name.into_owned(), schema));
        };
        word(schemas, ExtensionDecision::name(), ExtensionDecision::schema());
        word(schemas, PrincipalKind::name(), PrincipalKind::schema());
    }
}

fn of_member(member: Member) -> RefOr<AnySchema> {
    let named = |name: &str| Ref::builder().ref_location_from_schema_name(name);
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let meaning = Some(member.meaning());
    let list =
        |items: RefOr<AnySchema>| ArrayBuilder::new().items(items).description(meaning).into();
    match member.form() {
        Form::Id(prefix) => {
            text().pattern(Some(format!("^{}$", id_pattern(prefix)))).description(meaning).into()
        }
        Form::Time => named(&Timestamp::name()).description(meaning).build().into(),
        Form::Word(name) => named(name).description(meaning).build().into(),
        Form::Words(name) => list(named(name).build().into()),
        Form::OpenWord => text().description(meaning).into(),
        Form::OpenWords => list(text().into()),
        Form::Count => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(meaning)
            .into(),
        Form::Flag => ObjectBuilder::new().schema_type(Type::Boolean).description(meaning).into(),
    }
}

/// At most so many streams are open at once in this process.
const STREAMS_MAX: usize = 512;
/// At most so many are one organization's.
const STREAMS_OF_ORGANIZATION_MAX: usize = 64;
/// At most so many are one person's or API client's.
const STREAMS_OF_ONE_MAX: usize = 8;

/// Who follows events at present.
#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<(OrganizationId, PrincipalId), usize>>);

/// A place among those who follow events; it is free again when this is dropped.
struct StreamPlace {
    streams: Arc<Streams>,
    whose: (OrganizationId, PrincipalId),
}

impl Streams {
    /// A place, unless there are too many, of all or of this one.
    fn enter(self: &Arc<Self>, actor: &Actor) -> Option<StreamPlace> {
        let whose = (actor.organization_id, actor.principal_id());
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let of_one = open.get(&whose).copied().unwrap_or_default();
        let theirs = open.iter().filter(|((organization, _), _)| *organization == whose.0);
        let theirs: usize = theirs.map(|(_, count)| count).sum();
        let fits = all < STREAMS_MAX
            && theirs < STREAMS_OF_ORGANIZATION_MAX
            && of_one < STREAMS_OF_ONE_MAX;
        if fits {
            open.insert(whose, of_one + 1);
        }
        fits.then(|| StreamPlace { streams: Arc::clone(self), whose })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = open.remove(&self.whose).unwrap_or_default().saturating_sub(1);
        if left > 0 {
            open.insert(self.whose, left);
        }
    }
}
