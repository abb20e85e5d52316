//! `keylend demo`: the first thing that somebody new runs, and the whole of it.

use serde_json::json;

use crate::support::app::http_client;
use crate::support::{Reply, Terminal};

const ANY_PORTS: [&str; 4] = ["--listen", "127.0.0.1:0", "--simulator-listen", "127.0.0.1:0"];

/// What the demo tells, with `…` for what differs from run to run.
const STORY: &str = " 1. The administrator signs in
      → 201 an access token for ten minutes
 2. The administrator makes an account for Olga Owner, and gets a link for them
      → 201 usr_…
 3. Olga Owner follows the link and chooses a password that nobody else knows
      → 201 ses_…
 4. The administrator makes an account for Gus Guest, and gets a link for them
      → 201 usr_…
 5. Gus Guest follows the link and chooses a password that nobody else knows
      → 201 ses_…
 6. The owner connects a car
      → 201 con_…
 7. The owner's browser passes the consent page and is given a code
      → 200 con_…
 8. The owner shows the code, so that nobody else's browser can bring them a car
      → 200 3 cars, the first is a …
 9. The owner issues a key for two hours
      → 201 grt_…
10. The guest's app fetches its digital key
      → 200 … (signed)
11. The guest unlocks the car with the key alone
      → 200 acknowledged (provider_ack)
12. The guest locks the car with the key alone
      → 200 acknowledged (provider_ack)
13. The guest tries a key whose time has not come
      → 403 grant_not_yet_valid
14. The owner extends a key of two seconds to four
      → 200 widening
15. The guest tries it when they are over
      → 403 grant_expired
16. The guest, who is late, can still lock the car with it
      → 200 acknowledged (provider_ack)
17. The service has looked at the car since, and saw it locked
      → 200 confirmed (state_observed)
18. The owner pauses the guest's key
      → 201 hld_…
19. The guest tries the paused key
      → 403 grant_held
20. The owner lifts the pause
      → 204
21. The administrator ends the key now and waits until nothing can still leave
      → 200 ended, commands in flight: 0
22. The guest tries again with the same key
      → 403 grant_revoked
23. The administrator reads the record of the car
      → 200 3 commands authorized, 4 refused; the cars executed 3

✓ all steps succeeded
";

/// Whether a line is as expected, where one `…` stands for at least one character.
fn is_as_told(line: &str, expected: &str) -> bool {
    match expected.split_once('…') {
        None => line == expected,
        Some((before, after)) => {
            let rest = line.strip_prefix(before).and_then(|line| line.strip_suffix(after));
            rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('"'))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_is_told_in_order_and_the_end_is_good() {
    let terminal = Terminal::open();
    let arguments = [&["demo", "--exit"], &ANY_PORTS[..]].concat();
    let told = terminal.run(&arguments).await.well();
    let (head, story) = told.split_once("\n\n").unwrap();
    assert!(head.starts_with("Keylend at http://127.0.0.1:"), "{head}");
    assert!(head.contains(", a simulated vehicle cloud at http://127.0.0.1:"), "{head}");
    assert_eq!(story.lines().count(), STORY.lines().count(), "{told}");
    for (line, expected) in story.lines().zip(STORY.lines()) {
        assert!(is_as_told(line, expected), "expected {expected:?}, got {line:?}\n{told}");
    }
    let left = std::fs::read_dir(terminal.folder()).unwrap().count();
    assert_eq!(left, 0, "the demo left something behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_exit_it_stays_up_for_those_who_want_to_try_by_hand() {
    let terminal = Terminal::open();
    let mut demo = terminal.start(&[&["demo"], &ANY_PORTS[..]].concat());
    let api = demo.after("API ").await;
    let cars = demo.after("cars ").await;
    let database = demo.after("database ").await;
    let emails =
        [demo.after("admin ").await, demo.after("owner ").await, demo.after("guest ").await];
    let password = demo.after("password ").await;
    let password = password.strip_suffix(" (all three)").unwrap();

    assert!(std::path::Path::new(&database).exists(), "{database}");
    let http = http_client();
    assert_eq!(http.get(&api).send().await.unwrap().status(), 200, "{api}");
    let cars = Reply::read(http.get(&cars).send().await.unwrap()).await.expect(200);
    assert_eq!(cars.body["vehicles"].as_array().unwrap().len(), 3);
    let service = api.strip_suffix("/docs/").unwrap();
    for email in emails {
        let body = json!({ "email": email, "password": password });
        let signed_in = http.post(format!("{service}/v1/sessions")).json(&body).send().await;
        let session = Reply::read(signed_in.unwrap()).await.expect(201).text("access_token");
        let me = http.get(format!("{service}/v1/users/me")).bearer_auth(session).send().await;
        assert_eq!(Reply::read(me.unwrap()).await.expect(200).text("email"), email);
    }

    assert_eq!(demo.terminate().await.code(), Some(0));
}
