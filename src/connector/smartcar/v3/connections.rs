//! Owners' consents as API v3 lists them. The id of an owner proves nothing about who brings it:
//! cars count only if the cloud says that they were shared by this owner, on a page that was told
//! our word for them.

use url::form_urlencoded;

use super::{V3, bounds, classify, decode};
use crate::connector::{ConnectorError, ConsentedVehicle, Happened};
use crate::domain::fault::Fault;
use crate::domain::reading::Attributes;
use crate::smartcar::v3 as wire;

/// Entries asked for at a time: the most that the cloud gives.
const PAGE_ENTRIES: usize = wire::PAGE_SIZE_MAX as usize;

/// One owner's consent for one car.
pub(super) struct Consent {
    pub(super) connection_id: String,
    pub(super) permissions: Vec<String>,
}

/// All cars that this owner shared on a page that was told `user`.
pub(super) async fn consented_vehicles(
    cloud: &V3,
    user_id: &str,
    user: &str,
    mode: &str,
) -> Result<Vec<ConsentedVehicle>, ConnectorError> {
    let filters = [
        ("filter[userId]", user_id),
        ("filter[user.externalId]", user),
        ("filter[vehicle.mode]", mode),
    ];
    let mut vehicles: Vec<ConsentedVehicle> = Vec::new();
    let mut page = 1;
    while vehicles.len() < bounds::LIST_ENTRIES_MAX {
        let (list, answer) = list(cloud, user_id, &filters, page).await?;
        let entries = list.data.len();
        for connection in list.data {
            let car = consented(connection, user_id, user)
                .map_err(|why| classify::garbled(&answer, why))?;
            let known =
                |other: &ConsentedVehicle| other.provider_vehicle_id == car.provider_vehicle_id;
            if vehicles.iter().any(known) {
                return Err(classify::garbled(&answer, "a car for the second time"));
            }
            vehicles.push(car);
        }
        if entries < PAGE_ENTRIES {
            break;
        }
        page += 1;
    }
    if vehicles.is_empty() {
        return Err(ConnectorError::bare(
            Happened::Refused,
            Fault::ConsentLost,
            "the cloud knows of no car that this owner shared on our page",
        ));
    }
    Ok(vehicles)
}

/// This owner's consent for one car.
pub(super) async fn of_vehicle(
    cloud: &V3,
    user_id: &str,
    vehicle: &str,
) -> Result<Consent, ConnectorError> {
    // The list holds real cars alone unless it is asked for the others.
    for mode in ["live", "simulated"] {
        let filters = [
            ("filter[userId]", user_id),
            ("filter[vehicleId]", vehicle),
            ("filter[vehicle.mode]", mode),
        ];
        let (list, answer) = list(cloud, user_id, &filters, 1).await?;
        if let Some(connection) = list.data.into_iter().next() {
            let related = &connection.relationships;
            if related.vehicle.data.id != vehicle || related.user.data.id != user_id {
                return Err(classify::garbled(&answer, "a consent that was not asked for"));
            }
            // Its id becomes part of an address, where dots alone lead elsewhere.
            let fits = bounds::is_word(&connection.id)
                && !connection.id.starts_with('.')
                && connection.attributes.permissions.iter().all(|name| bounds::is_word(name));
            if !fits {
                return Err(classify::garbled(&answer, "a consent with strange characters"));
            }
            let (connection_id, permissions) = (connection.id, connection.attributes.permissions);
            return Ok(Consent { connection_id, permissions });
        }
    }
    let why = "the owner does not share this car";
    Err(ConnectorError::bare(Happened::Refused, Fault::Permission, why))
}

async fn list(
    cloud: &V3,
    user_id: &str,
    filters: &[(&str, &str)],
    page: usize,
) -> Result<(wire::ConnectionList, crate::connector::transport::Answer), ConnectorError> {
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(filters)
        .append_pair("page[number]", &page.to_string())
        .append_pair("page[size]", &PAGE_ENTRIES.to_string())
        .finish();
    let answer = cloud.get(&format!("{}/connections?{query}", cloud.base_url), user_id).await?;
    let list: wire::ConnectionList = decode(&answer)?;
    if list.data.len() > PAGE_ENTRIES {
        return Err(classify::garbled(&answer, "a page that is too long"));
    }
    Ok((list, answer))
}

/// A car as the cloud describes it, if it is this owner's.
fn consented(
    connection: wire::Connection,
    user_id: &str,
    user: &str,
) -> Result<ConsentedVehicle, &'static str> {
    // Anybody can bring the id of an owner: what is not said to be of our page is not ours.
    let told = connection.attributes.user;
    let named_by_us = told
        .as_ref()
        .is_some_and(|told| told.id == user_id && told.external_id.as_deref() == Some(user));
    if connection.relationships.user.data.id != user_id || !named_by_us {
        return Err("a car of another owner");
    }
    let provider_vehicle_id = connection.relationships.vehicle.data.id;
    if !bounds::is_vehicle_id(&provider_vehicle_id) {
        return Err("a vehicle id with strange characters");
    }
    let permissions = connection.attributes.permissions;
    if permissions.len() > bounds::ENTRIES_MAX
        || !permissions.iter().all(|name| bounds::is_word(name))
    {
        return Err("permissions that cannot be right");
    }
    let attributes = attributes(connection.attributes.vehicle)?;
    Ok(ConsentedVehicle { provider_vehicle_id, attributes, permissions })
}

/// Make, model and year, if they are fit to be kept.
pub(super) fn attributes(told: wire::VehicleAttributes) -> Result<Attributes, &'static str> {
    if !bounds::is_name(&told.make) || !bounds::is_name(&told.model) || !bounds::is_year(told.year)
    {
        return Err("a make, model or year that cannot be right");
    }
    Ok(Attributes { make: told.make, model: told.model, year: told.year })
}

#[cfg(test)]
#[path = "connections_test.rs"]
mod tests;
