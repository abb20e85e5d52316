//! Consents over API v3: which cars an owner shares, what is permitted for each, and ending one.

use serde_json::{Value, json};

use super::super::tests::{application, cloud, lines};
use crate::connector::smartcar::test_server::{Then, meaning, ok, raw};
use crate::connector::{ConnectorError, ConsentedVehicle, Happened, VehicleConnector as _};
use crate::domain::fault::Fault;

fn connection(car: &str) -> Value {
    json!({
        "id": format!("connection-{car}"), "type": "connection",
        "attributes": {
            "permissions": ["read_security", "control_security"],
            "vehicle": {"make": "TESLA", "model": "Model 3", "year": 2024},
            "user": {"id": "owner-1", "externalId": "usr_1"}
        },
        "relationships": {
            "vehicle": {"data": {"id": car, "type": "vehicle"}},
            "user": {"data": {"id": "owner-1", "type": "user"}}
        }
    })
}

/// The first connection, without one member of its attributes.
fn without(part: &str, member: &str) -> Then {
    let mut connection = connection("car-1");
    let part = connection.pointer_mut(part).unwrap().as_object_mut().unwrap();
    assert!(part.remove(member).is_some());
    page(&[connection])
}

/// The first connection, with one place of it changed.
fn changed(place: &str, value: &str) -> Then {
    let mut connection = connection("car-1");
    *connection.pointer_mut(place).unwrap() = json!(value);
    page(&[connection])
}

fn page(connections: &[Value]) -> Then {
    ok(&json!({"data": connections}).to_string())
}

fn cars(numbers: std::ops::Range<usize>) -> Then {
    let cars: Vec<Value> = numbers.map(|number| connection(&format!("car-{number}"))).collect();
    page(&cars)
}

async fn consented(answers: Vec<Then>) -> Result<Vec<ConsentedVehicle>, ConnectorError> {
    cloud(answers).0.consented_vehicles(&application(), "usr_1", "live").await
}

#[tokio::test]
async fn consented_cars_are_read_page_by_page() {
    let (cloud, requests) = cloud(vec![cars(0..100), cars(100..103)]);
    let all = cloud.consented_vehicles(&application(), "usr_1", "simulated").await.unwrap();
    assert_eq!((all.len(), all[102].provider_vehicle_id.as_str()), (103, "car-102"));
    assert_eq!((all[0].attributes.make.as_str(), all[0].attributes.year), ("TESLA", 2024));
    assert_eq!(all[0].permissions, ["read_security", "control_security"]);
    let asked = "GET /v3/connections?filter%5BuserId%5D=owner-1&filter%5Buser.externalId%5D=usr_1\
                 &filter%5Bvehicle.mode%5D=simulated";
    let expected =
        [1, 2].map(|n| format!("{asked}&page%5Bnumber%5D={n}&page%5Bsize%5D=100 HTTP/1.1"));
    assert_eq!(lines(&requests)[1..], expected);
    assert_eq!(consented(vec![cars(0..100), cars(0..0)]).await.unwrap().len(), 100);
    let many = (0..6).map(|n| cars(n * 100..n * 100 + 100)).collect();
    assert_eq!(consented(many).await.unwrap().len(), 500);
}

#[tokio::test]
async fn cars_of_another_owner_or_of_another_word_for_them_are_not_taken() {
    let external = "/attributes/user/externalId";
    for (name, answers) in [
        ("owner", vec![changed("/relationships/user/data/id", "owner-2")]),
        ("owner's id", vec![changed("/attributes/user/id", "owner-2")]),
        ("our word", vec![changed(external, "usr_2")]),
        ("our word cut", vec![changed(external, "usr_")]),
        ("our word left out", vec![without("/attributes/user", "externalId")]),
        ("the owner left out", vec![without("/attributes", "user")]),
        ("address", vec![changed("/relationships/vehicle/data/id", "a/b")]),
        ("make", vec![changed("/attributes/vehicle/make", "")]),
        ("permission", vec![changed("/attributes/permissions/0", "<b>")]),
        ("second time", vec![page(&[connection("car-1"), connection("car-1")])]),
        ("the same page", vec![cars(0..100), cars(0..100)]),
        ("too long", vec![cars(0..101)]),
        ("no list", vec![ok(r#"{"data":{}}"#)]),
    ] {
        assert_eq!(meaning(consented(answers).await).0, Fault::Garbled, "{name}");
    }
    let nothing = consented(vec![cars(0..0)]).await;
    assert_eq!(meaning(nothing), (Fault::ConsentLost, Happened::Refused));
}

#[tokio::test]
async fn permissions_are_those_of_this_owner_for_this_car() {
    let (with_car, requests) = cloud(vec![cars(0..0), cars(1..2)]);
    let given = with_car.permissions(&application(), "car-1").await.unwrap();
    assert_eq!(given, ["read_security", "control_security"]);
    let asked = "GET /v3/connections?filter%5BuserId%5D=owner-1&filter%5BvehicleId%5D=car-1\
                 &filter%5Bvehicle.mode%5D=";
    for (line, mode) in lines(&requests)[1..].iter().zip(["live", "simulated"]) {
        assert!(line.starts_with(&format!("{asked}{mode}&")), "{line}");
    }
    for (answers, fault) in [
        (vec![cars(0..0), cars(0..0)], Fault::Permission),
        (vec![changed("/relationships/user/data/id", "owner-2")], Fault::Garbled),
        (vec![changed("/attributes/permissions/0", "a b")], Fault::Garbled),
        (vec![cars(2..3)], Fault::Garbled),
    ] {
        let given = cloud(answers).0.permissions(&application(), "car-1").await;
        assert_eq!(meaning(given).0, fault);
    }
}

#[tokio::test]
async fn a_consent_is_ended_by_its_own_id() {
    let gone = || raw("HTTP/1.1 204 No Content\r\n", "");
    let (with_car, requests) = cloud(vec![cars(1..2), gone()]);
    with_car.disconnect(&application(), "car-1").await.unwrap();
    assert_eq!(lines(&requests)[2], "DELETE /v3/connections/connection-car-1 HTTP/1.1");
    for id in ["..", ".", "a/b", ""] {
        let (with_car, requests) = cloud(vec![changed("/id", id), gone()]);
        let ended = with_car.disconnect(&application(), "car-1").await;
        assert_eq!((meaning(ended).0, requests.try_iter().count()), (Fault::Garbled, 2), "{id}");
    }
}
