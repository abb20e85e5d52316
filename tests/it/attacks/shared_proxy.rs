//! Everybody comes through one proxy. Who guesses passwords there must not lock out the others, and
//! nobody becomes somebody else by saying so.

use keylend::config::Config;
use serde_json::json;

use crate::support::people::PASSWORD;
use crate::support::{Actor, Reply, TestApp, on_both};

const GUEST: &str = "guest@story.example";
const ATTACKER: &str = "198.51.100.66";
const AT_HOME: &str = "203.0.113.9";
/// After so many wrong passwords an address waits.
const FAILURES_MAX: usize = 10;
/// Where people signed in from, as it is kept beside the record.
const RECORDED_AT_HOME: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM personal_data WHERE personal LIKE '%203.0.113.9%'";
const RECORDED_ATTACKER: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM personal_data WHERE personal LIKE '%198.51.100.66%'";

/// The test is the proxy.
fn trust_this_machine(config: &mut Config) {
    config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()].into();
}

/// Signs the guest in, with what the proxy adds to the request.
async fn sign_in(app: &TestApp, password: &str, header: (&str, String)) -> Reply {
    let body = json!({ "email": GUEST, "password": password });
    let request = Actor::nobody(app).request(reqwest::Method::POST, "/v1/sessions");
    let request = request.header(header.0, header.1).json(&body);
    Reply::read(request.send().await.unwrap()).await
}

fn forwarded_for(client: &str) -> (&'static str, String) {
    ("x-forwarded-for", client.to_owned())
}

on_both! { as trust_this_machine;
    async fn who_guesses_behind_the_proxy_locks_out_no_one_but_himself(app) {
        app.guest().await;
        for _ in 0..FAILURES_MAX {
            sign_in(app, "wrong", forwarded_for(ATTACKER)).await.expect(401);
        }
        sign_in(app, PASSWORD, forwarded_for(ATTACKER)).await.expect(429);
        sign_in(app, PASSWORD, forwarded_for(AT_HOME)).await.expect(201);
        let standard = ("forwarded", format!("for={AT_HOME};proto=https"));
        sign_in(app, PASSWORD, standard).await.expect(201);
        app.idle().await;
        // The record names the people and not the proxy.
        assert_eq!(app.count(RECORDED_AT_HOME).await, 2);
        assert_eq!(app.count(RECORDED_ATTACKER).await, FAILURES_MAX as i64);
    }

    async fn what_came_with_a_request_does_not_give_the_guesser_another_address(app) {
        app.guest().await;
        for number in 0..FAILURES_MAX {
            // The proxy writes the attacker's address after whatever he sent.
            let forged = forwarded_for(&format!("{AT_HOME}, 192.0.2.{number}, {ATTACKER}"));
            sign_in(app, "wrong", forged).await.expect(401);
        }
        let forged = forwarded_for(&format!("192.0.2.200, {ATTACKER}"));
        sign_in(app, PASSWORD, forged).await.expect(429);
        app.idle().await;
        assert_eq!(app.count(RECORDED_AT_HOME).await, 0);
        assert_eq!(app.count(RECORDED_ATTACKER).await, FAILURES_MAX as i64);
    }
}

on_both! {
    async fn nobody_is_believed_who_is_no_trusted_proxy(app) {
        app.guest().await;
        for number in 0..FAILURES_MAX {
            sign_in(app, "wrong", forwarded_for(&format!("192.0.2.{number}"))).await.expect(401);
        }
        sign_in(app, PASSWORD, forwarded_for(AT_HOME)).await.expect(429);
        assert_eq!(app.count(RECORDED_AT_HOME).await, 0);
    }
}

on_both! { as trust_this_machine;
    async fn headers_that_no_proxy_would_write_are_answered_like_any_other(app) {
        app.guest().await;
        let many = forwarded_for(&vec!["127.0.0.1"; 1000].join(","));
        for hostile in [
            many,
            forwarded_for("unknown"),
            forwarded_for("_hidden"),
            forwarded_for("[::1"),
            forwarded_for(",,,"),
            ("forwarded", "for=\"[2001:db8::7]:_port\"".to_owned()),
            ("forwarded", "for=\"".to_owned()),
            ("forwarded", "\";for=;,".repeat(500)),
        ] {
            sign_in(app, PASSWORD, hostile).await.expect(201);
        }
    }
}
