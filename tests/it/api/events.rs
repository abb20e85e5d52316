//! Events: read from the record in its order, by cursors that say nothing of others, as pages and as a stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keylend::service::events::EventCursor;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

/// What happened by now, in order, a few at a time.
async fn all(app: &TestApp, reader: &Actor, query: &str) -> Vec<Value> {
    app.run_workers().await;
    let (mut events, mut after) = (Vec::new(), "start".to_owned());
    loop {
        let page =
            reader.get(&format!("/v1/events?limit=7&after={after}{query}")).await.expect(200);
        events.extend(page.body["data"].as_array().unwrap().iter().cloned());
        after = page.text("next_cursor");
        if page.body["has_more"] == false {
            return events;
        }
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// A grant that is issued, changed, paused, used and taken back.
async fn a_life(app: &TestApp, owner: &Actor, guest: &Actor) -> String {
    let issued = owner.lend_with(app, guest, json!({})).await.expect(201);
    let grant_id = issued.text("grant_id");
    let shown = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
    owner
        .patch(&format!("/v1/grants/{grant_id}"), &shown, json!({ "max_uses": 5 }))
        .await
        .expect(200);
    let scope = json!({ "scope": { "grant_id": grant_id }, "reason": "A pause." });
    let hold = owner.post("/v1/holds", scope).await.expect(201).text("hold_id");
    owner.delete(&format!("/v1/holds/{hold}")).await.expect(204);
    guest.command(&owner.vehicles[0], "unlock").await.expect(200);
    app.settle().await;
    owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
    grant_id
}

/// A stream, and what has arrived of it.
struct Stream {
    response: Response,
    arrived: String,
}

/// One event of a stream.
#[derive(Debug)]
struct Arrived {
    id: String,
    event: String,
    data: Value,
}

impl Stream {
    async fn open(reader: &Actor, query: &str, last: Option<&str>) -> Self {
        let mut request = reader.request(Method::GET, &format!("/v1/events?{query}"));
        request = request.header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, arrived: String::new() }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Arrived> {
        loop {
            while let Some((block, rest)) = self.arrived.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = block.lines().filter_map(|line| line.strip_prefix(name));
                    lines.collect::<String>().trim().to_owned()
                };
                let (id, event, data) = (field("id:"), field("event:"), field("data:"));
                self.arrived = rest.to_owned();
                if !data.is_empty() {
                    let data = serde_json::from_str(&data).unwrap();
                    return Some(Arrived { id, event, data });
                }
            }
            let bytes = self.response.chunk().await.unwrap()?;
            self.arrived.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

on_both! {
    async fn events_come_in_the_order_of_the_record_page_by_page(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = a_life(app, &owner, &guest).await;
        let admin = app.admin().await;
        let events = all(app, &admin, "").await;
        let of_grant: Vec<Value> = events.iter().filter(|event| event["data"]["grant_id"] == json!(grant_id)).cloned().collect();
        let expected = ["grant.issued", "grant.amended", "hold.placed", "hold.lifted", "command.confirmed", "grant.revoked"];
        assert_eq!(types(&of_grant), expected);
        assert_eq!(all(app, &admin, &format!("&grant_id={grant_id}")).await, of_grant);
        // By its revision, whoever hears of a grant in another order can tell.
        let of_rows = of_grant.iter().filter(|event| event["type"] != "command.confirmed");
        let revisions: Vec<i64> = of_rows.map(|event| event["data"]["grant_revision"].as_i64().unwrap()).collect();
        assert!(revisions.is_sorted_by(|one, next| one < next), "{revisions:?}");
        let command = &of_grant[4]["data"];
        assert_eq!((&command["action"], &command["evidence"]), (&json!("unlock"), &json!("state_observed")));
        let two = all(app, &admin, "&type=vehicle.connected,connection.completed").await;
        assert_eq!(two.len(), 4);
        assert_eq!(types(&all(app, &admin, &format!("&vehicle_id={}&type=grant.issued", owner.vehicles[1])).await), Vec::<&str>::new());
        let of_guest = all(app, &admin, &format!("&user_id={}&type=user.created,claim.redeemed", guest.id)).await;
        assert_eq!(types(&of_guest), ["user.created", "claim.redeemed"]);

        // Each is an entry of the record, and none says what people are called.
        let entries = admin.get("/v1/audit-entries?limit=100").await.expect(200).list("entry_id");
        assert!(events.iter().all(|event| entries.contains(&event["event_id"].as_str().unwrap().to_owned())));
        let told = Value::from(events).to_string();
        assert!(!told.contains("story.example") && !told.contains("A pause."), "{told}");
    }

    async fn who_waits_at_the_end_is_told_what_comes_and_nothing_twice(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        app.run_workers().await;
        let none = admin.get("/v1/events?after=end").await.expect(200);
        assert_eq!((&none.body["data"], &none.body["has_more"]), (&json!([]), &json!(false)));
        let mut after = none.text("next_cursor");
        for _ in 0..3 {
            let grant_id = owner.lend(app, &guest).await;
            app.run_workers().await;
            let page = admin.get(&format!("/v1/events?after={after}")).await.expect(200);
            assert_eq!(page.body["data"][0]["data"]["grant_id"], json!(grant_id));
            assert_eq!(page.body["data"].as_array().unwrap().len(), 1);
            after = page.text("next_cursor");
        }
    }

    async fn everybody_is_told_what_concerns_them_and_nothing_else(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let grant_id = a_life(app, &owner, &guest).await;
        let has = |events: &[Value], event_type: &str| events.iter().any(|event| event["type"] == event_type && event["data"]["grant_id"] == json!(grant_id));
        let of_owner = all(app, &owner, "").await;
        assert!(has(&of_owner, "grant.revoked") && has(&of_owner, "command.confirmed"));
        let of_guest = all(app, &guest, "").await;
        assert!(has(&of_guest, "grant.revoked") && has(&of_guest, "command.confirmed"));
        assert!(of_guest.iter().all(|event| event["data"]["user_id"] == json!(guest.id)), "{of_guest:?}");
        assert!(!types(&of_guest).contains(&"vehicle.connected"));
        assert!(types(&of_owner).contains(&"vehicle.connected"));
        let of_stranger = all(app, &stranger, "").await;
        assert_eq!(types(&of_stranger), ["user.created", "claim.created", "claim.redeemed"]);
        assert!(of_stranger.iter().all(|event| event["data"]["user_id"] == json!(stranger.id)));
        // Another organization.
        let foreigner = app.foreigner().await;
        assert_eq!(types(&all(app, &foreigner, "").await), ["user.created"]);
        // Programs: of the organization, of a person, of one car.
        let program = app.api_client(&["events:read"]).await;
        assert!(has(&all(app, &program, "").await, "grant.issued"));
        guest.allow(&program).await;
        let for_guest = all(app, &program.acting_for(&guest), "").await;
        assert!(has(&for_guest, "grant.issued") && !types(&for_guest).contains(&"vehicle.connected"));
        app.api_client(&["grants:read"]).await.get("/v1/events").await.expect_problem(403, "scope_missing");
        guest.holder_of(&owner.lend(app, &guest).await).await.get("/v1/events").await.expect_problem(401, "token_invalid");
        for role in ["support", "auditor"] {
            assert!(has(&all(app, &app.officer(role).await, "").await, "grant.issued"), "{role}");
        }
    }

    async fn a_program_of_one_car_is_told_of_that_car(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (one, other) = (owner.vehicles[0].clone(), owner.vehicles[1].clone());
        owner.lend(app, &guest).await;
        owner.lend_with(app, &guest, json!({ "vehicle_id": other })).await.expect(201);
        let body = json!({ "name": "One car", "scopes": ["events:read"], "vehicle_ids": [one] });
        let made = app.admin().await.post("/v1/api-clients", body).await.expect(201);
        let form = [("grant_type", "client_credentials".to_owned()), ("client_id", made.text("client_id")), ("client_secret", made.text("client_secret"))];
        let token = app.http.post(format!("{}/oauth/token", app.url())).form(&form).send().await.unwrap();
        let token: Value = token.json().await.unwrap();
        let program = Actor::nobody(app).with_token(token["access_token"].as_str().unwrap());
        let events = all(app, &program, "").await;
        assert_eq!(types(&events), ["vehicle.connected", "grant.issued"]);
        assert!(events.iter().all(|event| event["data"]["vehicle_id"] == json!(one)));
    }

    async fn what_is_no_cursor_or_type_is_refused(app) {
        let (admin, foreigner) = (app.admin().await, app.foreigner().await);
        app.run_workers().await;
        let theirs = foreigner.get("/v1/events").await.expect(200).text("next_cursor");
        let organization_id = {
            let me = admin.get("/v1/users/me").await.expect(200);
            me.text("organization_id").parse().unwrap()
        };
        let future = EventCursor::seal(&app.service().base, organization_id, 1_000_000).unwrap();
        let invalid = |reply: Reply, pointer: &str| {
            let refused = reply.expect_problem(422, "validation_failed");
            assert_eq!(refused.body["errors"][0]["pointer"], json!(pointer), "{}", refused.body);
            refused
        };
        for cursor in ["", "nonsense", "1", &"A".repeat(64), &"A".repeat(4096), &theirs, future.as_str(), "%00", "end%20"] {
            invalid(admin.get(&format!("/v1/events?after={cursor}")).await, "?after");
        }
        for last in ["0", future.as_str(), &theirs] {
            let request = admin.request(Method::GET, "/v1/events").header("accept", "text/event-stream");
            let reply = Reply::read(request.header("last-event-id", last).send().await.unwrap()).await;
            assert_eq!(reply.expect(422).body["code"], "validation_failed");
        }
        let unknown = invalid(admin.get("/v1/events?type=grant.isued").await, "?type");
        assert!(unknown.body["errors"][0]["detail"].as_str().unwrap().contains("grant.issued, "), "{}", unknown.body);
        invalid(admin.get("/v1/events?limit=501").await, "?limit");
        invalid(admin.get("/v1/events?limit=0").await, "?limit");
        invalid(admin.get("/v1/events?colour=red").await, "?colour");
        // Cursors differ each time, so nobody can compare them.
        let own = async || admin.get("/v1/events").await.expect(200).text("next_cursor");
        assert_ne!(own().await, own().await);
    }

    async fn a_stream_goes_on_where_it_was_and_ends_with_the_right(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let first = owner.lend(app, &guest).await;
        app.run_workers().await;
        let mut stream = Stream::open(&guest, "type=grant.issued,grant.revoked", None).await;
        let issued = stream.next().await.unwrap();
        assert_eq!((issued.event.as_str(), &issued.data["data"]["grant_id"]), ("grant.issued", &json!(first)));
        owner.post(&format!("/v1/grants/{first}/revoke"), json!({})).await.expect(200);
        let second = owner.lend(app, &guest).await;
        app.run_workers().await;
        for (event, grant_id) in [("grant.revoked", &first), ("grant.issued", &second)] {
            let arrived = stream.next().await.unwrap();
            assert_eq!((arrived.event.as_str(), &arrived.data["data"]["grant_id"]), (event, &json!(grant_id)));
            assert_eq!(arrived.data["type"], json!(event));
        }
        // Whoever comes back goes on after the last event that arrived.
        let mut again = Stream::open(&guest, "after=start", Some(&issued.id)).await;
        assert_eq!(again.next().await.unwrap().event, "grant.revoked");
        // A page goes on there too.
        let page = guest.get(&format!("/v1/events?after={}", issued.id)).await.expect(200);
        assert_eq!(page.list("type"), ["grant.revoked", "grant.issued"]);

        app.admin().await.delete(&format!("/v1/users/{}/sessions", guest.id)).await.expect(204);
        app.run_workers().await;
        assert!(stream.next().await.is_none(), "it goes on without a session");
        guest.get("/v1/events").await.expect_problem(401, "token_invalid");
    }

    async fn one_person_cannot_take_all_streams(app) {
        let (guest, stranger) = (app.guest().await, app.stranger().await);
        let mut open = Vec::new();
        for _ in 0..8 {
            open.push(Stream::open(&guest, "after=end", None).await);
        }
        let request = guest.request(Method::GET, "/v1/events").header("accept", "text/event-stream");
        Reply::read(request.send().await.unwrap()).await.expect_problem(429, "rate_limited");
        Stream::open(&stranger, "after=end", None).await;
        // They are still there, and end with the service.
        app.run_workers().await;
        drop(open);
    }
}

/// The clock of a stream is real: what is quiet shows that it lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_stream_shows_that_it_lives_and_ends_with_the_service() {
    let app = TestApp::start(crate::support::Database::Sqlite).await;
    let admin = app.admin().await;
    app.run_workers().await;
    let mut stream = Stream::open(&admin, "after=end", None).await;
    let first = stream.response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"retry:"), "{first:?}");
    let alive = tokio::time::timeout(Duration::from_secs(60), stream.response.chunk()).await;
    let alive = alive.unwrap().unwrap().unwrap();
    assert!(alive.starts_with(b"id:") && !alive.starts_with(b"id:\n"), "{alive:?}");
    // Also while another organization is busy.
    let foreigner = app.foreigner().await;
    let is_enough = AtomicBool::new(false);
    // It ends between two requests: one that is given up is carried out all the same, and nobody knows when.
    let busy = async {
        while !is_enough.load(Ordering::Relaxed) {
            let body = json!({ "name": "Busy", "scopes": [] });
            foreigner.post("/v1/api-clients", body).await.expect(201);
            app.run_workers().await;
        }
    };
    let alive = async {
        let chunk = stream.response.chunk();
        let alive = tokio::time::timeout(Duration::from_secs(60), chunk).await;
        is_enough.store(true, Ordering::Relaxed);
        assert!(alive.unwrap().unwrap().unwrap().starts_with(b"id:"));
    };
    tokio::join!(busy, alive);
    let ended = tokio::join!(app.finish(), stream.next()).1;
    assert!(ended.is_none());
}
