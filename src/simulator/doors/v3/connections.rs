//! API v3, the application's connections: which owners share which cars, and the end of that. Only
//! a token of the application opens this door.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::simulator::cloud::consents::{self, mode};
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::{Call, Shared};
use crate::simulator::doors::credentials::bearer;
use crate::smartcar::ErrorKind;
use crate::smartcar::v3::connection::{
    ConnectedUser, ConnectionAttributes, ConnectionRelationships, PageMeta, Related,
};
use crate::smartcar::v3::{
    Connection, ConnectionList, Document, HEADER_USER_ID, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX,
    Reference, VehicleAttributes,
};

/// Which part of a list is asked for.
pub(super) struct Page {
    /// From 1.
    number: u32,
    size: u32,
}

impl Page {
    pub(super) fn read(call: &Call) -> Result<Self, Failure> {
        let number = |name: &str, default: u32| match call.parameter(name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
                Failure::new(ErrorKind::Validation)
                    .describing(format!("`{name}` must be a whole number from 1 up."))
            }),
        };
        let size = number("page[size]", PAGE_SIZE_DEFAULT)?;
        Ok(Self { number: number("page[number]", 1)?, size: size.min(PAGE_SIZE_MAX) })
    }

    pub(super) fn cut<T>(&self, all: Vec<T>) -> (Vec<T>, PageMeta) {
        let total_count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let meta = PageMeta { page_number: self.number, page_size: self.size, total_count };
        let places = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let skipped = places(self.number.saturating_sub(1)).saturating_mul(places(self.size));
        (all.into_iter().skip(skipped).take(places(self.size)).collect(), meta)
    }
}

/// Nothing, unless the request lacks a token of the application.
pub(super) fn opened(cloud: &Cloud, call: &Call) -> Result<(), Failure> {
    let known = bearer(&call.headers).and_then(|token| cloud.application_of(token));
    known.map(|_| ()).ok_or_else(|| Failure::new(ErrorKind::Authentication))
}

/// `GET /connections`.
pub(super) async fn list(
    State(cloud): Shared,
    call: Call,
) -> Result<Json<ConnectionList>, Failure> {
    opened(&cloud, &call)?;
    let page = Page::read(&call)?;
    let filter = |name: &str| call.parameter(name).filter(|value| !value.is_empty());
    let mode = mode(filter("filter[vehicle.mode]")).ok_or_else(|| {
        let why = "`filter[vehicle.mode]` must be `live`, `simulated` or `test`.";
        Failure::new(ErrorKind::Validation).describing(why)
    })?;
    let named = call.headers.get(HEADER_USER_ID).and_then(|id| id.to_str().ok());
    let users = [filter("filter[userId]"), named.filter(|id| !id.is_empty())];
    let external_id = filter("filter[user.externalId]");
    let place = filter("filter[vehicleId]").map(|id| cloud.car(id).map(|(place, _)| place));
    let fits = |one: &consents::Connection| {
        users.iter().flatten().all(|id| one.user.id == **id)
            && external_id.is_none_or(|id| one.user.external_id.as_deref() == Some(id))
            && place.is_none_or(|place| place == Some(one.place))
            && one.mode == mode
    };
    let (found, meta) = page.cut(cloud.consents.find(fits));
    let data = found.iter().filter_map(|one| described(&cloud, one)).collect();
    Ok(Json(ConnectionList { data, meta }))
}

/// `GET /connections/{id}`.
pub(super) async fn one(
    State(cloud): Shared,
    call: Call,
) -> Result<Json<Document<Connection>>, Failure> {
    opened(&cloud, &call)?;
    let found = cloud.consents.find(|one| one.id == call.vehicle_id);
    let data = found.first().and_then(|one| described(&cloud, one));
    Ok(Json(Document { data: data.ok_or_else(unknown)? }))
}

/// `DELETE /connections/{id}`.
pub(super) async fn disconnect(State(cloud): Shared, call: Call) -> Result<StatusCode, Failure> {
    opened(&cloud, &call)?;
    ended(cloud.withdraw(|one| one.id == call.vehicle_id).len())
}

/// `DELETE /users/{id}`: everything that the owner shared.
pub(super) async fn forget(State(cloud): Shared, call: Call) -> Result<StatusCode, Failure> {
    opened(&cloud, &call)?;
    ended(cloud.withdraw(|one| one.user.id == call.vehicle_id).len())
}

fn ended(count: usize) -> Result<StatusCode, Failure> {
    match count {
        0 => Err(unknown()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

fn unknown() -> Failure {
    Failure::new(ErrorKind::ResourceNotFoundPath)
}

fn described(cloud: &Cloud, one: &consents::Connection) -> Option<Connection> {
    let (car, terms) = (cloud.cars().get(one.place)?, one.terms()?);
    let related = |id: &str, kind: &str| Related {
        data: Reference { id: id.to_owned(), kind: kind.to_owned() },
    };
    let powertrain = car.state_at(cloud.clock.now()).powertrain;
    Some(Connection {
        id: one.id.clone(),
        kind: "connection".to_owned(),
        attributes: ConnectionAttributes {
            permissions: terms.permissions.iter().map(|name| (*name).to_owned()).collect(),
            vehicle: VehicleAttributes {
                make: car.make.clone(),
                model: car.model.clone(),
                year: car.year,
                powertrain_type: Some(powertrain.as_str().to_owned()),
                mode: Some(one.mode.to_owned()),
            },
            user: Some(ConnectedUser {
                id: one.user.id.clone(),
                external_id: one.user.external_id.clone(),
            }),
        },
        relationships: ConnectionRelationships {
            vehicle: related(&car.id, "vehicle"),
            user: related(&one.user.id, "user"),
        },
    })
}
