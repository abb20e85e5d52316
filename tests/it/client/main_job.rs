//! The main job from end to end: from the first login to a key that was taken back.

use serde_json::Value;

use super::desk::Desk;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_car_is_connected_lent_opened_and_taken_back() {
    let (desk, served) = Desk::served().await;
    desk.sign_in("ada", "ada@example.com").await;
    desk.invite("ada", "olga").await;
    desk.invite("ada", "gus").await;
    let cars = desk.connect("olga").await;
    assert!(cars.starts_with("VEHICLE_ID "), "{cars}");
    assert_eq!(cars.lines().count(), 4, "{cars}");

    let car = desk.run("olga", "vehicles list --limit 1 -o id").await.well().trim().to_owned();
    let guest = desk.line("gus", "whoami -o id").await;
    let issue = format!("grants issue --vehicle-id {car} --grantee-id {guest}");
    let issue = format!("{issue} --entitlements unlock,lock,read_attributes --not-after +2h");
    let grant = desk.line("olga", &format!("{issue} --label trip --max-uses none -o id")).await;
    assert_eq!(desk.line("gus", "grants list --status active -o id").await, grant);
    let key = desk.line("gus", &format!("grants token {grant}")).await;
    assert_eq!(key.split('.').count(), 3, "{key}");
    let read = desk.run("gus", &format!("vehicles read {car} attributes")).await.well();
    assert!(read.contains("make") && read.contains("fetched_at"), "{read}");

    let unlock = format!("commands send unlock --vehicle-id {car}");
    let opened = desk.run("gus", &unlock).await.well();
    assert!(opened.contains("acknowledged") && opened.contains("provider_ack"), "{opened}");
    let holders = desk.run("olga", &format!("vehicles holders {car}")).await.well();
    assert!(holders.contains(&guest) && holders.contains(&grant), "{holders}");
    let longer = format!("grants amend {grant} --not-after +4h --if-match 1");
    let longer = desk.run("olga", &longer).await.well();
    assert!(longer.contains("widening") && longer.contains("trip"), "{longer}");

    let hold = format!("holds place --grant-id {grant} --reason lost -o id");
    let hold = desk.line("olga", &hold).await;
    assert!(desk.run("gus", &unlock).await.unmet(4).contains("code: grant_held"));
    desk.run("olga", &format!("holds lift {hold}")).await.well();
    let listed = desk.run("olga", "holds list --standing false").await.well();
    assert!(listed.contains(&hold), "{listed}");

    let revoke = format!("grants revoke {grant} --wait drain --reason over");
    let ended = desk.run("ada", &revoke).await.well();
    assert!(ended.contains("end_reason    revoked"), "{ended}");
    let refused = desk.run("gus", &unlock).await.unmet(4);
    let lines: Vec<&str> = refused.lines().collect();
    assert_eq!(lines[0], "keylend: This key was taken back. Please ask the owner.");
    assert!(lines.contains(&"  code: grant_revoked"), "{refused}");
    assert!(lines.last().unwrap().starts_with("  request: "), "{refused}");
    let problem = desk.run("gus", &format!("{unlock} -o json")).await.ended(4);
    let problem: Value = serde_json::from_str(&problem).unwrap();
    assert_eq!(problem["code"], "grant_revoked");

    let sent = desk.run("ada", &format!("commands list --vehicle-id {car}")).await.well();
    assert!(sent.contains("acknowledged") || sent.contains("confirmed"), "{sent}");
    let entries = format!("audit-entries list --grant-id {grant} --event grant.revoked -o json");
    let entries = desk.run("ada", &entries).await.json();
    assert_eq!(entries["data"][0]["event"], "grant.revoked");
    let told = desk.run("olga", &format!("grants statement {grant}")).await.well();
    assert!(told.contains("grant/end_reason") && told.contains("command.authorized"), "{told}");
    served.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_listed_and_followed_in_order() {
    let (desk, served) = Desk::served().await;
    desk.sign_in("ada", "ada@example.com").await;
    desk.invite("ada", "olga").await;
    let follow = ["events", "follow", "--after", "start", "--type", "user.created,user.disabled"];
    let follow = [&follow[..], &["--profile", "ada", "--limit", "4", "-o", "json"]].concat();
    let mut following = desk.terminal.start(&follow);
    let first = following.after("\"type\":").await;
    assert!(first.starts_with("\"user.created\""), "{first}");
    desk.invite("ada", "gus").await;
    let gus = desk.line("gus", "whoami -o id").await;
    desk.run("ada", &format!("users disable {gus}")).await.well();
    let (status, _) = following.ended().await;
    assert!(status.success(), "four events were told");
    let enabled = desk.run("ada", &format!("users enable {gus} -o json")).await.json();
    assert_eq!(enabled["disabled_at"], Value::Null);
    desk.run("ada", "users list --limit 1 -o id").await.well();

    let list = "events list --type user.created,user.disabled -o json";
    let listed = desk.run("ada", list).await.json();
    let types: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types.last(), Some(&"user.disabled"), "{listed}");
    let end = desk.run("ada", &format!("{list} --limit 2")).await.json();
    assert_eq!(end["data"].as_array().unwrap().len(), 2);
    served.finish().await;
}
