//! The administrator of another organization, who can make an account with anybody's address there.

use serde_json::json;

use crate::support::people::PASSWORD;
use crate::support::{Actor, Reply, TestApp, on_both};

const VICTIM: &str = "guest@story.example";

async fn sign_in(app: &TestApp, organization_id: &str, password: &str) -> Reply {
    let body = json!({ "email": VICTIM, "password": password, "organization_id": organization_id });
    Actor::nobody(app).post("/v1/sessions", body).await
}

on_both! {
    async fn an_account_with_the_victims_address_elsewhere_buys_no_guesses(app) {
        let guest = app.guest().await;
        let here = guest.get("/v1/users/me").await.expect(200).text("organization_id");
        let foreigner = app.foreigner().await;
        let twin = json!({ "email": VICTIM, "display_name": "Twin" });
        let twin = foreigner.post("/v1/users", twin).await.expect(201);
        foreigner.redeem(&twin.text("claim_token")).await;
        let elsewhere = twin.text("organization_id");
        let mut compared = 0;
        for _ in 0..4 {
            for _ in 0..9 {
                let guess = sign_in(app, &here, "a guess like any other").await;
                compared += usize::from(guess.status == 401);
                assert!([401, 429].contains(&guess.status), "{}", guess.body);
            }
            sign_in(app, &elsewhere, PASSWORD).await.expect(201);
        }
        assert_eq!(compared, 10);
        sign_in(app, &here, PASSWORD).await.expect_problem(429, "rate_limited");
    }
}
