//! Many at the door: strangers in any number must not keep anybody from the car.

use std::net::SocketAddr;
use std::time::Duration;

use keylend::config::Limits;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::household::Household;
use crate::support::{Actor, on_both};

const IDLE: usize = 10_000;
/// Less than one address may have.
const IDLE_OF_ONE_ADDRESS: usize = 500;

/// Connections that say nothing, or not enough: every other one has begun a request.
async fn idle_connections(address: &str) -> Vec<TcpStream> {
    let address = address.parse().unwrap();
    let room = keylend::http::server::room_for(IDLE).unwrap();
    assert_eq!(room, IDLE, "the tests need a limit of {IDLE} open files and some (ulimit -Hn)");
    let mut idle = Vec::with_capacity(IDLE);
    for number in 0..IDLE {
        let last_part = 2 + u8::try_from(number / IDLE_OF_ONE_ADDRESS).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, last_part], 0))).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"POST /v1/commands HTTP/1.1\r\nhost: ").await.unwrap();
        }
        idle.push(stream);
    }
    idle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_that_say_nothing_do_not_stop_an_unlock() {
    let house = Household::start(None).await;
    let idle = idle_connections(&house.address).await;
    for number in 1..=20 {
        house.admin.command(&house.car, "unlock").await.expect(200);
        assert_eq!(house.executed().await, number);
    }
    house.admin.get("/readyz").await.expect(200);
    drop(idle);
    house.finish().await;
}

on_both! { as |config| config.limits.visits_per_second = Limits::default().visits_per_second;
    async fn a_flood_of_visitors_is_refused_and_the_car_still_opens(app) {
        let owner = app.owner().await;
        let nobody = Actor::nobody(app);
        let flood = futures_util::future::join_all((0..1000).map(|_| nobody.get("/log/checkpoint")));
        let flood = async {
            let answers = flood.await;
            for refused in answers.iter().filter(|reply| reply.status == 429) {
                assert!(refused.headers.contains_key("retry-after"));
            }
            answers.iter().filter(|reply| reply.status == 429).count()
        };
        let unlock = owner.command(&owner.vehicles[0], "unlock");
        let (refused, unlocked) = futures_util::future::join(flood, unlock).await;
        unlocked.expect(200);
        // Sign-ins and what the other actors did count too.
        assert!(refused >= 100, "only {refused} of 1000 were refused");
        app.advance(Duration::from_secs(1));
        nobody.post("/v1/sessions", json!({ "email": "x@example.com", "password": "wrong" })).await.expect(401);
    }
}
