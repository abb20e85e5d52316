//! What a login in a file must withstand.

use super::*;

fn keeper(folder: &Path) -> Keeper {
    let args = ProfileArgs { profile: "olga".to_owned(), config: Some(folder.join("deep/config")) };
    Keeper::of(&args).unwrap()
}

fn login(token: &str) -> Login {
    Login {
        server: "http://127.0.0.1:8080".to_owned(),
        access_token: Hidden(token.to_owned()),
        expires_at: "2026-07-01T12:00:00Z".parse().unwrap(),
        renewal: Renewal::Session {
            session_id: "ses_1".to_owned(),
            refresh_token: Hidden(format!("refresh-{token}")),
        },
    }
}

#[tokio::test]
async fn a_login_is_its_owners_alone_and_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(folder.path());
    let held = keeper.hold().await.unwrap();
    held.replace(&login("one")).unwrap();
    // A draft that was cut off is in nobody's way, whatever its mode is.
    fs::write(keeper.file("new"), "half a lo").unwrap();
    held.replace(&login("two")).unwrap();
    assert_eq!(keeper.read().unwrap().access_token, Hidden("two".to_owned()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&keeper.file("json")), 0o600);
    assert_eq!((mode(&keeper.folder), mode(keeper.folder.parent().unwrap())), (0o700, 0o700));
    assert!(!keeper.file("new").exists());

    held.remove().unwrap();
    held.remove().unwrap();
    let said = keeper.read().unwrap_err();
    assert!(matches!(said, Failure::Unmet { why: Unmet::SignedOut, .. }));
    assert!(said.to_string().contains("keylend login --profile olga"), "{said}");
}

#[tokio::test]
async fn a_file_that_others_can_read_or_that_is_no_login_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(folder.path());
    keeper.hold().await.unwrap().replace(&login("one")).unwrap();
    let path = keeper.file("json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(keeper.read().unwrap_err().to_string().contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, r#"{"server":"http://127.0.0.1:8080","of_another":"version"}"#).unwrap();
    let said = keeper.read().unwrap_err().to_string();
    assert!(said.contains("no login that this version can read"), "{said}");
}

#[tokio::test]
async fn one_process_at_a_time_holds_a_login() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(folder.path());
    let held = keeper.hold().await.unwrap();
    let lock = File::open(keeper.file("lock")).unwrap();
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    drop(held);
    lock.try_lock().unwrap();
}

#[test]
fn a_login_goes_on_in_the_same_session_at_the_same_server_alone() {
    let (old, new) = (login("one"), login("two"));
    assert!(new.is_continued_from(&old));
    let elsewhere = Login { server: "http://127.0.0.1:8081".to_owned(), ..new.clone() };
    assert!(!elsewhere.is_continued_from(&old));
    let (session_id, refresh_token) = ("ses_2".to_owned(), Hidden("r".to_owned()));
    let renewal = Renewal::Session { session_id, refresh_token };
    assert!(!Login { renewal, ..new.clone() }.is_continued_from(&old));
    let (client_id, client_secret) = ("key_1".to_owned(), Hidden("s".to_owned()));
    let renewal = Renewal::ApiClient { client_id, client_secret, acting_for: None };
    assert!(!Login { renewal, ..new }.is_continued_from(&old));
}

#[test]
fn secrets_are_not_in_what_is_printed_of_a_login() {
    let shown = format!("{:?}", login("kl_secret"));
    assert!(!shown.contains("kl_secret") && shown.contains("(hidden)"), "{shown}");
}
