//! The connector against the simulator: two readings of one protocol, written apart, held to each
//! other. What the connector says may have happened is compared with what the cars really did.

use std::sync::Arc;
use std::time::Duration;

use keylend::clock::ManualClock;
use keylend::connector::smartcar::{Smartcar, SmartcarSettings};
use keylend::connector::{
    Access, AuthorizeRequest, ConnectorError, Happened, TokenPair, VehicleConnector,
};
use keylend::domain::fault::Fault;
use keylend::domain::id::CommandId;
use keylend::domain::instruction::Instruction;
use keylend::domain::reading::{LockStatus, Observable, Observation};
use keylend::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::support::app::http_client;
use crate::support::cloud::Cloud;

const BACK: &str = "http://127.0.0.1:9/back";
/// The command that is sent.
const COMMAND: CommandId = CommandId::from_uuid(uuid::Uuid::from_u128(7));

/// A cloud, the connector, and an owner who has connected all cars.
struct Connected {
    cloud: Cloud,
    smartcar: Smartcar,
    tokens: TokenPair,
    access: Access,
    car: String,
    journal: tempfile::NamedTempFile,
}

fn smartcar(url: &str, timeout: Duration) -> Smartcar {
    let settings = SmartcarSettings {
        client_id: "app".to_owned(),
        client_secret: "secret".into(),
        api_origin: url.to_owned(),
        api_v3_origin: url.to_owned(),
        iam_origin: url.to_owned(),
        v3_client_id: "client_app".to_owned(),
        v3_client_secret: "secret".into(),
        auth_origin: url.to_owned(),
        connect_origin: url.to_owned(),
        timeout,
    };
    let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    Smartcar::new(settings, Arc::new(ManualClock::at(now))).unwrap()
}

/// What the browser of an owner who agrees comes back with.
async fn code(smartcar: &Smartcar) -> String {
    let url = smartcar.authorize_url(&AuthorizeRequest {
        redirect_uri: BACK.to_owned(),
        permissions: ["read_vehicle_info", "read_security", "control_security"]
            .map(|permission| (permission, false))
            .to_vec(),
        state: "s&1".to_owned(),
        mode: "simulated",
        user: "usr_1".to_owned(),
        make: None,
        single: None,
    });
    let answer = http_client().get(url).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    let back = url::Url::parse(location).unwrap();
    let of = |name| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(of("state"), "s&1");
    of("code")
}

impl Connected {
    async fn start() -> Self {
        let journal = tempfile::NamedTempFile::new().unwrap();
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let cloud = Cloud::start(clock, journal.path().to_owned()).await;
        let smartcar = smartcar(&cloud.url, Duration::from_secs(20));
        let tokens = smartcar.exchange_code(&code(&smartcar).await, BACK).await.unwrap();
        let access = Access::OwnerToken(tokens.access_token.clone());
        let cars = smartcar.consented_vehicles(&access, "usr_1", "simulated").await.unwrap();
        assert_eq!(cars.len(), 3);
        let car = cars[0].provider_vehicle_id.clone();
        Self { cloud, smartcar, tokens, access, car, journal }
    }

    async fn send(&self, what: Instruction) -> Result<Option<String>, ConnectorError> {
        let sent = self.smartcar.send(&self.access, &self.car, &what, COMMAND, Duration::MAX).await;
        sent.map(|acknowledged| acknowledged.provider_request_id)
    }

    async fn is_locked(&self) -> bool {
        self.lock_status().await.0.is_locked
    }

    async fn lock_status(&self) -> (LockStatus, Option<Timestamp>) {
        let read = self.smartcar.read(&self.access, &self.car, Observable::LockStatus).await;
        let reading = read.unwrap();
        let Observation::LockStatus(status) = reading.observation else { panic!("{reading:?}") };
        (status, reading.reported_at)
    }

    async fn executed(&self) -> usize {
        self.cloud.journal().await.len()
    }
}

#[tokio::test]
async fn a_car_is_connected_unlocked_and_locked() {
    let connected = Connected::start().await;
    let (smartcar, access, car) = (&connected.smartcar, &connected.access, &connected.car);
    let about = smartcar.read(access, car, Observable::Attributes).await.unwrap();
    let Observation::Attributes(about) = about.observation else { panic!("{about:?}") };
    assert_eq!((about.make.as_str(), about.year), ("TESLA", 2024));
    let mut given = smartcar.permissions(access, car).await.unwrap();
    given.sort_unstable();
    assert_eq!(given, ["control_security", "read_security", "read_vehicle_info"]);

    let (before, reported_at) = connected.lock_status().await;
    assert!(before.is_locked && reported_at.is_some() && before.doors.len() == 4);
    let unlocked = connected.send(Instruction::Unlock).await.unwrap().unwrap();
    assert!(!connected.is_locked().await);
    let locked = connected.send(Instruction::Lock).await.unwrap().unwrap();
    assert!(connected.is_locked().await);

    let text = std::fs::read_to_string(connected.journal.path()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (&line["action"], &line["request_id"])).collect();
    assert_eq!(
        told,
        [(&json!("UNLOCK"), &json!(unlocked)), (&json!("LOCK"), &json!(locked))],
        "the connector and the car name the same requests"
    );
    assert!(lines.iter().all(|line| line["vehicle_id"] == json!(car)));
    assert!(lines.iter().all(|line| line["client_request_id"] == json!(COMMAND)));
}

#[tokio::test]
async fn consent_that_is_used_up_is_lost() {
    let connected = Connected::start().await;
    let smartcar = &connected.smartcar;
    let next = smartcar.refresh(&connected.tokens.refresh_token).await.unwrap();
    let again = smartcar.refresh(&connected.tokens.refresh_token).await.unwrap_err();
    assert_eq!((again.fault, again.happened), (Fault::ConsentLost, Happened::Refused));
    let used = code(smartcar).await;
    smartcar.exchange_code(&used, BACK).await.unwrap();
    let again = smartcar.exchange_code(&used, BACK).await.unwrap_err();
    assert_eq!((again.fault, again.happened), (Fault::ConsentLost, Happened::Refused));
    connected.cloud.forget_consents().await;
    let access = Access::OwnerToken(next.access_token);
    let gone = smartcar.read(&access, &connected.car, Observable::LockStatus).await.unwrap_err();
    assert_eq!((gone.fault, gone.happened), (Fault::Authentication, Happened::Refused));
}

/// What the connector says went wrong; `None`: acknowledged.
type Said = Option<(Fault, Happened)>;

/// A fault of the cloud, what the connector makes of it, and whether the car moves.
fn faults() -> Vec<(Value, Said, bool)> {
    use Happened::{Maybe, Refused};
    let error = |kind: &str, code: &str| json!({"kind": "error", "type": kind, "code": code});
    vec![
        (json!({"kind": "delay", "delay_ms": 20}), None, true),
        (json!({"kind": "refuse"}), Some((Fault::Unavailable, Refused)), false),
        (json!({"kind": "executed_then_no_answer"}), Some((Fault::Unavailable, Maybe)), true),
        (json!({"kind": "executed_then_500"}), Some((Fault::Unavailable, Maybe)), true),
        (
            json!({"kind": "vehicle_state", "code": "ASLEEP"}),
            Some((Fault::VehicleState, Refused)),
            false,
        ),
        (
            json!({"kind": "rate_limited", "retry_after_s": 30}),
            Some((Fault::RateLimited, Refused)),
            false,
        ),
        (json!({"kind": "unauthorized"}), Some((Fault::Authentication, Refused)), false),
        (json!({"kind": "garbage"}), Some((Fault::Garbled, Maybe)), true),
        (json!({"kind": "hold", "hold_ms": 20}), None, true),
        (json!({"kind": "acknowledged_not_executed"}), None, false),
        (error("UPSTREAM", "NO_RESPONSE"), Some((Fault::Upstream, Maybe)), false),
        (error("COMPATIBILITY", "VEHICLE_NOT_CAPABLE"), Some((Fault::NotCapable, Refused)), false),
        (error("BILLING", "VEHICLE_LIMIT"), Some((Fault::Billing, Refused)), false),
    ]
}

#[tokio::test]
async fn what_the_connector_says_of_a_fault_is_what_the_car_did() {
    let connected = Connected::start().await;
    let mut wrong = Vec::new();
    for (fault, expected, moves) in faults() {
        connected.cloud.script(&connected.car, json!([&fault])).await;
        let before = connected.executed().await;
        let sent = connected.send(Instruction::Unlock).await;
        let moved = connected.executed().await - before;
        assert_eq!(moved, usize::from(moves), "{fault}");
        let said = sent.as_ref().err().map(|error| (error.fault, error.happened));
        if said != expected {
            wrong.push(format!("{fault}: {said:?}, not {expected:?}"));
        }
        if let Err(error) = &sent {
            let wait = (error.fault == Fault::RateLimited).then_some(Duration::from_secs(30));
            assert_eq!(error.retry_after, wait, "{fault}");
            assert!(error.happened == Happened::Maybe || moved == 0, "{fault}: {error}");
        }
        connected.send(Instruction::Lock).await.unwrap();
        assert!(connected.is_locked().await, "{fault}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_answer_held_back_beyond_the_time_limit_leaves_it_open() {
    let connected = Connected::start().await;
    let hasty = smartcar(&connected.cloud.url, Duration::from_millis(500));
    connected.cloud.script(&connected.car, json!([{"kind": "hold"}])).await;
    let error = hasty
        .send(&connected.access, &connected.car, &Instruction::Unlock, COMMAND, Duration::MAX)
        .await
        .unwrap_err();
    assert_eq!((error.fault, error.happened), (Fault::TimedOut, Happened::Maybe));
    assert!(!connected.is_locked().await);
    assert_eq!(connected.executed().await, 1);
}
