//! What goes wrong on request, and whether the car moved.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SCOPE, approving};

#[tokio::test]
async fn each_fault_strikes_before_or_after_the_car_moves() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    // The fault, the status that the client sees (0: no answer), and whether the car moves.
    let faults = [
        (json!({"kind": "delay", "delay_ms": 20}), 200, 1),
        (json!({"kind": "refuse"}), 503, 0),
        (json!({"kind": "executed_then_no_answer"}), 0, 1),
        (json!({"kind": "executed_then_500"}), 500, 1),
        (json!({"kind": "vehicle_state", "code": "ASLEEP"}), 409, 0),
        (json!({"kind": "rate_limited", "retry_after_s": 30}), 429, 0),
        (json!({"kind": "unauthorized"}), 401, 0),
        (json!({"kind": "garbage"}), 200, 1),
        (json!({"kind": "hold", "hold_ms": 20}), 200, 1),
        (json!({"kind": "acknowledged_not_executed"}), 200, 0),
        (json!({"kind": "error", "type": "UPSTREAM", "code": "NO_RESPONSE"}), 502, 0),
        (json!({"kind": "truncated"}), 200, 1),
        (json!({"kind": "oversized"}), 200, 1),
        (json!({"kind": "html"}), 200, 1),
        (json!({"kind": "redirect"}), 307, 0),
        (json!({"kind": "no_content"}), 204, 1),
        (json!({"kind": "wrong_type"}), 200, 1),
        (json!({"kind": "missing_field"}), 200, 1),
        (json!({"kind": "duplicate_keys"}), 200, 1),
        (json!({"kind": "wrong_vehicle"}), 200, 1),
        (json!({"kind": "unknown_error", "type": "WEATHER", "code": "FOG", "status": 418}), 418, 0),
        (json!({"kind": "status", "code": 502, "body": {"a": 1}}), 502, 0),
        (json!({"kind": "executed_then_status", "code": 504, "body": "<html>"}), 504, 1),
    ];
    let unreadable =
        ["garbage", "truncated", "html", "redirect", "no_content", "executed_then_status"];
    let mut total = 0;
    for (fault, status, moves) in faults {
        let script = json!({"faults": [&fault]});
        assert_eq!(sim.set_faults(&car, script).await, 200, "{fault}");
        let answer = sim.command(&token, &car, "UNLOCK").await;
        match answer {
            Err(error) => assert!(status == 0 && error.is_request(), "{fault}: {error:?}"),
            Ok(answer) => {
                assert_eq!(answer.status(), status, "{fault}");
                let retry = answer.headers().get("retry-after").cloned();
                assert_eq!(retry.is_some(), status == 429, "{fault}");
                let readable = answer.json::<Value>().await.is_ok();
                let kind = fault["kind"].as_str().unwrap();
                assert_eq!(readable, !unreadable.contains(&kind), "{fault}");
            }
        }
        total += moves;
        assert_eq!(sim.executed().await, total, "{fault}");
        let after = sim.command(&token, &car, "LOCK").await.unwrap();
        assert_eq!(after.status(), 200, "a fault strikes once: {fault}");
        total += 1;
    }
}

#[tokio::test]
async fn faults_can_repeat_wait_for_reads_and_be_taken_back() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let path = format!("/v2.0/vehicles/{car}/security");
    let script = json!({"faults": [{"kind": "refuse", "on": "read"}], "repeat": true});
    assert_eq!(sim.set_faults(&car, script).await, 200);
    assert_eq!(sim.get(&token, &path).await.status(), 503);
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 200);
    assert_eq!(sim.get(&token, &path).await.status(), 503);
    let faults = format!("/_sim/vehicles/{car}/faults");
    let left = sim.get_json("", &faults).await;
    assert_eq!(left["faults"][0], json!({"kind": "refuse", "on": "read"}));
    let url = format!("{}{faults}", sim.base);
    sim.client.delete(url).send().await.unwrap();
    assert_eq!(sim.get(&token, &path).await.status(), 200);
    let unknown = json!({"faults": [{"kind": "explode"}]});
    assert_eq!(sim.set_faults(&car, unknown).await, 400);
    assert_eq!(sim.set_faults("nobody", json!({"faults": []})).await, 404);
}

#[tokio::test]
async fn a_delayed_command_is_executed_although_its_client_has_gone() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let script = json!({"faults": [{"kind": "delay", "delay_ms": 1000}]});
    sim.set_faults(&car, script).await;
    let path = format!("/v2.0/vehicles/{car}/security");
    let request = sim.client.post(format!("{}{path}", sim.base));
    let request = request.bearer_auth(&token).timeout(Duration::from_millis(50));
    let gone = request.json(&json!({"action": "UNLOCK"})).send().await;
    assert!(gone.unwrap_err().is_timeout());
    assert_eq!(sim.executed().await, 0);
    // Held reads of the same car pass the time.
    let hold = json!({"faults": [{"kind": "hold", "hold_ms": 50, "on": "read"}], "repeat": true});
    sim.set_faults(&car, hold).await;
    for _ in 0..200 {
        sim.get(&token, &path).await;
        if sim.executed().await == 1 {
            return;
        }
    }
    panic!("the command was given up with its client");
}

#[tokio::test]
async fn a_spoilt_answer_looks_as_its_kind_says() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let unlocked = async |fault: Value| {
        sim.set_faults(&car, json!({"faults": [fault]})).await;
        sim.command(&token, &car, "UNLOCK").await.unwrap()
    };
    let truncated = unlocked(json!({"kind": "truncated"})).await;
    let length = truncated.headers()["content-length"].to_str().unwrap().to_owned();
    assert!(length.parse::<usize>().unwrap() > 40);
    assert!(truncated.bytes().await.is_err());
    let oversized = unlocked(json!({"kind": "oversized"})).await.bytes().await.unwrap();
    assert!(oversized.len() > 1024 * 1024);
    let html = unlocked(json!({"kind": "html"})).await;
    assert_eq!(html.headers()["content-type"], "text/html");
    let moved = unlocked(json!({"kind": "redirect"})).await;
    assert_eq!(moved.headers()["location"], "/moved");
    let unknown = json!({"kind": "unknown_error", "type": "WEATHER", "code": "FOG", "status": 418});
    let unknown: Value = unlocked(unknown).await.json().await.unwrap();
    assert_eq!((&unknown["type"], &unknown["code"]), (&json!("WEATHER"), &json!("FOG")));
    assert_eq!(unknown["statusCode"], 418);
    let twice = unlocked(json!({"kind": "duplicate_keys"})).await.text().await.unwrap();
    assert!(twice.contains(r#""status":"success","status":"failed""#), "{twice}");
    let literal = unlocked(json!({"kind": "status", "code": 299, "body": "plain"})).await;
    assert_eq!(
        (literal.status().as_u16(), literal.text().await.unwrap()),
        (299, "plain".to_owned())
    );
    // A read of one car is answered for another.
    let path = format!("/v2.0/vehicles/{car}");
    sim.set_faults(&car, json!({"faults": [{"kind": "wrong_vehicle", "on": "read"}]})).await;
    assert_ne!(sim.get_json(&token, &path).await["id"], json!(car));
    assert_eq!(sim.get_json(&token, &path).await["id"], json!(car));
}
