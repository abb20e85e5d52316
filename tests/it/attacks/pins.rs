//! Somebody who has a link that is not theirs: they guess its PIN, or come at the same moment as its owner.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::people::PASSWORD;
use crate::support::{Actor, Reply, TestApp, on_both};

async fn made(app: &TestApp) -> Reply {
    let body = json!({ "email": "kim@story.example", "display_name": "Kim", "with_pin": true });
    app.admin().await.post("/v1/users", body).await.expect(201)
}

async fn try_pin(app: &TestApp, made: &Reply, pin: Value) -> Reply {
    let body = json!({ "claim_token": made.text("claim_token"), "password": PASSWORD, "pin": pin });
    Actor::nobody(app).post("/v1/claims/redeem", body).await
}

/// Another PIN than the right one.
fn wrong(made: &Reply, number: usize) -> Value {
    let right: usize = made.text("claim_pin").parse().unwrap();
    json!(format!("{:06}", (right + 1 + number) % 1_000_000))
}

fn count(replies: &[Reply], code: &str) -> usize {
    replies.iter().filter(|reply| reply.text("code") == code).count()
}

on_both! {
    async fn a_pin_is_tried_five_times_however_many_guess_at_once(app) {
        let made = made(app).await;
        try_pin(app, &made, Value::Null).await.expect_problem(403, "pin_missing");
        let guesses = join_all((0..12).map(|n| try_pin(app, &made, wrong(&made, n)))).await;
        assert_eq!(count(&guesses, "pin_wrong"), 4);
        // Some are turned away because too many passwords are being hashed: they were not heard either.
        let unheard = count(&guesses, "claim_cancelled") + count(&guesses, "overloaded");
        assert_eq!(unheard, 8);
        let late = try_pin(app, &made, json!(made.text("claim_pin"))).await;
        late.expect_problem(409, "claim_cancelled");
        let path = format!("/v1/audit-entries?user_id={}&event=claim.refused", made.text("user_id"));
        assert_eq!(app.admin().await.get(&path).await.expect(200).list("event").len(), 5);
    }

    async fn the_right_pin_is_heard_after_four_wrong_ones(app) {
        let made = made(app).await;
        for number in 0..4 {
            try_pin(app, &made, wrong(&made, number)).await.expect_problem(403, "pin_wrong");
        }
        try_pin(app, &made, json!(made.text("claim_pin"))).await.expect(201);
    }

    async fn of_all_who_redeem_at_the_same_moment_one_is_signed_in(app) {
        let body = json!({ "email": "kim@story.example", "display_name": "Kim" });
        let made = app.admin().await.post("/v1/users", body).await.expect(201);
        let replies = join_all((0..8).map(|_| try_pin(app, &made, Value::Null))).await;
        let signed_in = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(signed_in, 1);
        assert_eq!(count(&replies, "claim_redeemed") + count(&replies, "overloaded"), 7);
        let sessions = app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM sessions s \
            JOIN users u ON u.user_id = s.user_id WHERE u.email = 'kim@story.example'").await;
        assert_eq!(sessions, 1);
    }
}
