//! Addresses that others chose: those that lead inside, those that hang, and those that are very many.

use std::net::SocketAddr;
use std::time::Duration;

use keylend::config::Config;
use keylend::domain::id::WebhookEndpointId;
use keylend::domain::time::Timestamp;
use keylend::storage::webhook_endpoints::{self as stored, WebhookEndpoint};
use serde_json::json;
use tokio::net::TcpListener;

use crate::api::webhook_endpoints::{deliver, subscribe};
use crate::support::on_both;
use crate::support::receiver::{Behaviour, Receiver};

/// An installation that has said nothing about its own networks.
fn careful(config: &mut Config) {
    config.webhook_networks = Vec::new().into();
}

/// Somebody inside who must not be asked.
async fn canary() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

on_both! {
    as careful;

    async fn an_address_that_leads_inside_is_refused_or_not_sent_to(app) {
        let admin = app.admin().await;
        let (inside, address) = canary().await;
        let port = address.port();
        let hosts = [
            "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "169.254.169.254",
            "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
            "metadata@127.0.0.1", "127.0.0.1#@example.org", "①②⑦.0.0.1", "127。0。0。1", "%31%32%37.0.0.1",
        ];
        for host in hosts {
            for url in [format!("http://{host}:{port}/"), format!("https://{host}:{port}/"), format!("https://{host}/")] {
                let refused = admin.post("/v1/webhook-endpoints", json!({ "url": url })).await;
                let refused = refused.expect_problem(422, "validation_failed");
                assert_eq!(refused.body["errors"][0]["pointer"], "/url", "{url}");
            }
        }
        for url in ["https://example.org:5432/", "https://example.org:6379/", "https://example.org:22/", "http://example.org/",
            "gopher://example.org/", "file:///etc/passwd", "https://", "example.org", "", "https://user:secret@example.org/"] {
            admin.post("/v1/webhook-endpoints", json!({ "url": url })).await.expect_problem(422, "validation_failed");
        }
        // A name shows only when it is asked for where it leads.
        let made = admin.post("/v1/webhook-endpoints", json!({ "url": "https://localhost:8443/" })).await.expect(201);
        let id = made.text("webhook_endpoint_id");
        let tried = admin.post(&format!("/v1/webhook-endpoints/{id}/test"), json!({})).await.expect(200);
        assert_eq!((&tried.body["status"], &tried.body["fault"]), (&json!("failed"), &json!("address_not_allowed")));
        let asked = tokio::time::timeout(Duration::from_millis(1), inside.accept()).await;
        assert!(asked.is_err(), "somebody inside was asked");
    }
}

on_both! {
    async fn redirects_and_large_answers_are_not_taken_for_a_yes(app) {
        let admin = app.admin().await;
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &[]).await;
        let path = format!("/v1/webhook-endpoints/{id}/test");
        for (behaviour, fault, status) in [(Behaviour::Redirect, "status", json!(307)), (Behaviour::Large, "answer_too_large", json!(null))] {
            receiver.answers(move |_| behaviour);
            let before = receiver.arrivals().len();
            let tried = admin.post(&path, json!({})).await.expect(200);
            assert_eq!((&tried.body["fault"], &tried.body["answer_status"]), (&json!(fault), &status), "{behaviour:?}");
            assert_eq!(receiver.arrivals().len(), before + 1);
        }
    }

    async fn an_endpoint_that_hangs_keeps_no_other_waiting(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let (hanging, prompt) = (Receiver::start().await, Receiver::start().await);
        hanging.answers(|_| Behaviour::Hang);
        subscribe(&admin, &hanging, &["grant.issued"]).await;
        subscribe(&admin, &prompt, &["grant.issued"]).await;
        owner.lend(app, &guest).await;
        while prompt.taken().is_empty() || hanging.arrivals().is_empty() {
            app.run_workers().await;
        }
        // What comes later goes out too while the other still hangs.
        owner.lend(app, &guest).await;
        while prompt.taken().len() < 2 {
            app.run_workers().await;
        }
        assert_eq!(hanging.arrivals().len(), 1);
    }

    async fn ten_thousand_endpoints_that_hang_do_not_stop_one_that_works(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let (hanging, prompt) = (Receiver::start().await, Receiver::start().await);
        hanging.answers(|_| Behaviour::Hang);
        let foreigner = app.foreigner().await;
        let me = foreigner.get("/v1/users/me").await.expect(200);
        let base = &app.service().base;
        let (now, organization_id) = (base.clock.now(), me.text("organization_id").parse().unwrap());
        let (theirs, _) = subscribe(&foreigner, &hanging, &[]).await;
        let mut tx = base.store.begin().await.unwrap();
        let theirs: WebhookEndpointId = theirs.parse().unwrap();
        let theirs = stored::find(&mut tx, organization_id, theirs).await.unwrap().unwrap();
        for _ in 0..10_000 {
            let webhook_endpoint_id = base.entropy.id(now).unwrap();
            let copy = WebhookEndpoint { webhook_endpoint_id, next_position: 0, leased_until: Timestamp::MIN, ..theirs.clone() };
            stored::insert(&mut tx, &copy).await.unwrap();
            stored::wake_one(&mut tx, webhook_endpoint_id, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        app.execute("UPDATE webhook_endpoints SET failures = 3").await;
        subscribe(&admin, &prompt, &["grant.issued"]).await;
        owner.lend(app, &guest).await;
        while prompt.taken().is_empty() {
            app.run_workers().await;
        }
        // As many as may are being tried, and no more.
        assert!(hanging.arrivals().len() <= 16, "{}", hanging.arrivals().len());
        app.execute("DELETE FROM webhook_endpoints").await;
    }

    async fn an_endpoint_that_cannot_be_read_keeps_no_other_waiting(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let broken = json!({ "url": receiver.url(), "description": "Broken", "types": ["grant.issued"] });
        admin.post("/v1/webhook-endpoints", broken).await.expect(201);
        subscribe(&admin, &receiver, &["grant.issued"]).await;
        app.execute("UPDATE webhook_endpoints SET types = 'planted' WHERE description = 'Broken'").await;
        owner.lend(app, &guest).await;
        deliver(app).await;
        assert_eq!(receiver.taken(), ["grant.issued"]);
    }

    async fn nobody_else_has_anything_to_do_with_an_endpoint(app) {
        let (admin, owner) = (app.admin().await, app.owner().await);
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &[]).await;
        let path = format!("/v1/webhook-endpoints/{id}");
        let foreigner = app.foreigner().await;
        for verb in ["pause", "resume", "rotate-secret", "test"] {
            foreigner.post(&format!("{path}/{verb}"), json!({})).await.expect_problem(404, "not_found");
            owner.post(&format!("{path}/{verb}"), json!({})).await.expect_problem(403, "admin_only");
        }
        foreigner.get(&path).await.expect_problem(404, "not_found");
        foreigner.get(&format!("{path}/deliveries")).await.expect_problem(404, "not_found");
        foreigner.delete(&path).await.expect_problem(404, "not_found");
        owner.post("/v1/webhook-endpoints", json!({ "url": receiver.url() })).await.expect_problem(403, "admin_only");
        assert!(foreigner.get("/v1/webhook-endpoints").await.expect(200).list("webhook_endpoint_id").is_empty());
        // Theirs hear of nothing that happens here.
        let (theirs, _) = subscribe(&foreigner, &receiver, &[]).await;
        deliver(app).await;
        let before = receiver.arrivals().len();
        foreigner.post(&format!("/v1/webhook-endpoints/{theirs}/pause"), json!({})).await.expect(200);
        app.guest().await;
        deliver(app).await;
        let after = receiver.arrivals();
        assert!(after.len() > before);
        // A program needs the right to read events, and not only the one to have them sent.
        let program = app.api_client(&["webhooks:write"]).await;
        let refused = program.post("/v1/webhook-endpoints", json!({ "url": receiver.url() })).await;
        refused.expect_problem(403, "scope_missing");
        // As many as an organization can have, and no more.
        for _ in 1..20 {
            subscribe(&admin, &receiver, &["user.erased"][..0]).await;
        }
        let refused = admin.post("/v1/webhook-endpoints", json!({ "url": receiver.url() })).await;
        refused.expect_problem(409, "too_many_webhook_endpoints");
    }
}
