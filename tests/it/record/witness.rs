//! A witness alone, asked by whoever speaks its protocol (C2SP tlog-witness).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use keylend::audit::Hash;
use keylend::audit::checkpoint::{self, TreeHead};
use keylend::audit::entry::leaf_hash;
use keylend::audit::tree::Tiles;
use keylend::audit::witness::{LENGTH_MAX, Submission};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::support::Terminal;
use crate::support::record::ORIGIN;
use crate::support::witness::{Witness, log_key, signed, submission, tree};

/// The time in a cosignature, if it is one of this key over this text. Written from the
/// specification (C2SP tlog-cosignature), without the program's own reading of it.
fn cosigned_at(line: &str, text: &str, vkey: &str) -> Option<u64> {
    let (name, key) = (vkey.split('+').next()?, STANDARD.decode(vkey.splitn(3, '+').nth(2)?).ok()?);
    let id = sha256(&[name.as_bytes(), b"\n", &key].concat())[..4].to_vec();
    let signature = line.strip_prefix(&format!("\u{2014} {name} "))?.strip_suffix('\n')?;
    let signature = STANDARD.decode(signature).ok()?;
    let time = u64::from_be_bytes(signature.get(4..12)?.try_into().ok()?);
    let message = format!("cosignature/v1\ntime {time}\n{text}");
    let verified = UnparsedPublicKey::new(&ED25519, &key[1..])
        .verify(message.as_bytes(), signature.get(12..)?)
        .is_ok();
    (key[0] == 4 && signature[..4] == id && verified).then_some(time)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec()
}

fn text(submission: &Submission) -> String {
    String::from_utf8(checkpoint::text_of(&submission.checkpoint).unwrap()).unwrap()
}

#[tokio::test]
async fn a_witness_cosigns_and_shows_what_it_cosigned() {
    let mut witness = Witness::start("w1.example").await;
    assert_eq!(witness.get("/vkey").await, (200, format!("{}\n", witness.key).into_bytes()));
    let hash: String = sha256(ORIGIN.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let monitored = format!("/{hash}/checkpoint");
    assert_eq!(witness.get(&monitored).await.0, 404, "it showed what it never saw");

    let tiles = tree(300, 300, 0);
    for (old_size, size) in [(0, 37), (37, 256), (256, 300), (300, 300)] {
        let submission = submission(&tiles, old_size, size);
        let answer = witness.add(submission.to_bytes()).await.unwrap();
        assert_eq!(answer.status, 200);
        let line = String::from_utf8(answer.body).unwrap();
        let at = cosigned_at(&line, &text(&submission), &witness.key.to_string());
        assert!(at.unwrap() > 1_700_000_000, "{line}");
    }
    let keys = [log_key(), witness.key.clone()];
    let shown = checkpoint::open(&witness.get(&monitored).await.1, ORIGIN, &keys).unwrap();
    assert_eq!((shown.head.size, shown.cosignatures.len()), (300, 1));
    for path in ["/", "/add-checkpoint", "/0/checkpoint", "/../witness.key/checkpoint"] {
        let status = witness.get(path).await.0;
        assert!([404, 405].contains(&status), "{path}: {status}");
    }
    assert!(witness.terminate().await);
    witness.resume().await;
    let answer = witness.add(submission(&tiles, 0, 300).to_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (409, b"300\n".as_slice()));
    assert_eq!(answer.media_type, "text/x.tlog.size");
}

#[tokio::test]
async fn whatever_else_is_put_before_a_witness_is_refused_with_the_status_of_the_protocol() {
    let witness = Witness::start("w1.example").await;
    let (tiles, fork) = (tree(60, 60, 0), tree(60, 0, 1));
    let good = submission(&tiles, 0, 40);
    assert_eq!(witness.add(good.to_bytes()).await.unwrap().status, 200);
    let text = |submission: &Submission| String::from_utf8(submission.to_bytes()).unwrap();
    let next = submission(&tiles, 40, 60);
    let head = |tiles: &Tiles, size| TreeHead { size, root: tiles.root(size).unwrap() };
    let signed_by_nobody = |note: Vec<u8>| {
        let note = String::from_utf8(note).unwrap();
        note.replace("\n60\n", "\n61\n").into_bytes()
    };
    let with = |checkpoint: Vec<u8>| Submission { checkpoint, ..next.clone() };
    let unsigned = text(&next).split("\n\n\u{2014}").next().unwrap().to_owned() + "\n";
    let from_fork = submission(&fork, 40, 60);
    for (what, body, status) in [
        ("nothing", String::new(), 400),
        ("not UTF-8", "old 40\n\n\u{0}".to_owned(), 400),
        ("JSON", r#"{"old": 40}"#.to_owned(), 400),
        ("no empty line", text(&next).replacen("\n\n", "\n", 1), 400),
        ("no newline at the end", text(&next).trim_end().to_owned(), 400),
        ("carriage returns", text(&next).replace('\n', "\r\n"), 400),
        ("leading zeroes", text(&next).replacen("old 40", "old 040", 1), 400),
        ("a hash too short", text(&next).replacen("\n", "\nAAAA\n", 1), 400),
        (
            "64 lines of proof",
            format!(
                "old 40\n{}\n{}",
                format!("{}\n", head(&tiles, 1).root).repeat(64),
                String::from_utf8(next.checkpoint.clone()).unwrap()
            ),
            400,
        ),
        ("no signature", unsigned, 400),
        ("an old size beyond the new one", text(&Submission { old_size: 61, ..next.clone() }), 400),
        ("another log", text(&with(signed("other.example/log", head(&tiles, 60)))), 404),
        ("a changed size", text(&with(signed_by_nobody(next.checkpoint.clone()))), 403),
        ("an old size of another tree", text(&Submission { old_size: 39, ..next.clone() }), 409),
        ("a smaller tree", text(&submission(&tiles, 20, 30)), 409),
        ("a fork of the same size", text(&submission(&fork, 40, 40)), 409),
        ("a fork", text(&from_fork), 422),
        ("a fork with the proof of the tree", text(&with(from_fork.checkpoint.clone())), 422),
        ("no proof", text(&Submission { proof: vec![], ..next.clone() }), 422),
        (
            "too much proof",
            text(&Submission {
                proof: [next.proof.clone(), vec![head(&tiles, 1).root]].concat(),
                ..next.clone()
            }),
            422,
        ),
    ] {
        let answer = witness.add(body).await.unwrap();
        assert_eq!(answer.status, status, "{what}: {}", String::from_utf8_lossy(&answer.body));
        let has_size = answer.media_type == "text/x.tlog.size";
        assert!(!has_size || answer.body == b"40\n", "{what}");
    }
    assert_eq!(witness.add(vec![0xff; 100]).await.unwrap().status, 400);
    assert_eq!(witness.add(next.to_bytes()).await.unwrap().status, 200, "it was moved by them");
    // Who sends too much may find the connection closed before the answer is read.
    let answer = witness.add("old 40\n".repeat(LENGTH_MAX)).await;
    assert!(answer.is_none_or(|answer| answer.status == 413));
}

/// Tree and next request for each of two histories that go on differently from the same entries.
fn branches(leaves: &[Hash], round: u8) -> [(Vec<Hash>, Vec<u8>); 2] {
    [0, 1].map(|branch| {
        let more = [leaf_hash(&[round, branch]), leaf_hash(&[round, branch, 1])];
        let grown: Vec<Hash> = [leaves, &more[..1 + usize::from(round % 2)]].concat();
        let mut tiles = Tiles::default();
        tiles.grow(0, &grown).unwrap();
        let request = submission(&tiles, leaves.len() as u64, grown.len() as u64);
        (grown, request.to_bytes())
    })
}

/// The head that the witness remembers.
async fn remembered(witness: &Witness) -> TreeHead {
    let hash: String = sha256(ORIGIN.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let (status, note) = witness.get(&format!("/{hash}/checkpoint")).await;
    assert_eq!(status, 200);
    checkpoint::open(&note, ORIGIN, &[log_key(), witness.key.clone()]).unwrap().head
}

fn head_of(leaves: &[Hash]) -> TreeHead {
    let mut tiles = Tiles::default();
    tiles.grow(0, leaves).unwrap();
    let size = leaves.len() as u64;
    TreeHead { size, root: tiles.root(size).unwrap() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_histories_that_are_put_before_a_witness_at_once_exactly_one_is_cosigned() {
    let witness = Witness::start("w1.example").await;
    let mut leaves = Vec::new();
    for round in 0..20 {
        let branches = branches(&leaves, round);
        let requests = (0..8).map(|n| witness.add(branches[n % 2].1.clone()));
        let answers = futures_util::future::join_all(requests).await;
        let statuses: Vec<u16> =
            answers.iter().map(|answer| answer.as_ref().unwrap().status).collect();
        let cosigned: Vec<usize> = (0..8).filter(|n| statuses[*n] == 200).collect();
        assert_eq!(cosigned.len(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
        leaves = branches[cosigned[0] % 2].0.clone();
        assert_eq!(remembered(&witness).await, head_of(&leaves));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_that_is_killed_at_any_time_never_cosigns_a_second_history() {
    let mut witness = Witness::start("w1.example").await;
    let mut leaves = vec![leaf_hash(b"first")];
    let (mut cosignatures, mut cut_off) = (0, 0);
    let mut tiles = Tiles::default();
    tiles.grow(0, &leaves).unwrap();
    assert_eq!(witness.add(submission(&tiles, 0, 1).to_bytes()).await.unwrap().status, 200);
    for round in 0..30_usize {
        let branches = branches(&leaves, round as u8);
        let mut answered = Vec::new();
        {
            let ask = |n: usize| {
                let request = witness.add(branches[n % 2].1.clone());
                async move { (n % 2, request.await) }
            };
            let mut asked: FuturesUnordered<_> = (0..8).map(ask).collect();
            // So many answers come before the kill, and the others are under way or lost.
            for _ in 0..round % 3 {
                answered.extend(asked.next().await);
            }
            witness.start_kill();
            answered.extend(asked.collect::<Vec<_>>().await);
        }
        witness.kill().await;
        witness.resume().await;
        let remembered = remembered(&witness).await;
        let known = branches.iter().find(|(grown, _)| head_of(grown) == remembered);
        for (branch, answer) in &answered {
            match answer {
                Some(answer) if answer.status == 200 => {
                    assert_eq!(
                        head_of(&branches[*branch].0),
                        remembered,
                        "it forgot a cosignature"
                    );
                    cosignatures += 1;
                }
                Some(answer) => assert_eq!(answer.status, 409),
                None => cut_off += 1,
            }
        }
        match known {
            Some((grown, _)) => leaves.clone_from(grown),
            None => assert_eq!(remembered, head_of(&leaves), "it remembers what was never shown"),
        }
    }
    assert!(cosignatures > 5 && cut_off > 5, "{cosignatures} cosigned, {cut_off} cut off");
}

#[tokio::test]
async fn a_witness_does_not_start_without_its_own_key_or_for_another_witness() {
    let terminal = Terminal::open();
    let log = log_key().to_string();
    let said = terminal.run(&["witness", "serve", "--logs", &log]).await.failed();
    assert!(said.contains("witness.key"), "{said}");
    let made = terminal.run(&["witness", "create", "--name", "w1.example"]).await.well();
    let said = terminal.run(&["witness", "serve", "--logs", made.trim()]).await.failed();
    assert!(said.contains("not of a log"), "{said}");
    let said = terminal.run(&["witness", "create", "--name", "w1.example"]).await.failed();
    assert!(said.contains("never overwritten"), "{said}");
    let shown = terminal.run(&["witness", "show", "-o", "json"]).await.json();
    assert_eq!(shown["witness_key"], made.trim());
    assert_eq!(terminal.run(&["witness", "serve"]).await.status.code(), Some(2));
}
