//! Witnesses as their operators run them: the program itself, in a folder of its own.

use keylend::audit::Hash;
use keylend::audit::checkpoint::{self, TreeHead};
use keylend::audit::entry::leaf_hash;
use keylend::audit::note::{KeyKind, VerifierKey};
use keylend::audit::tree::Tiles;
use keylend::audit::witness::Submission;
use keylend::config::{WitnessAddress, Witnesses};
use keylend::entropy::SeededEntropy;
use keylend::signing::Keyring;

use super::Terminal;
use super::app::{http_client, the_beginning};
use super::program::Running;
use super::record::ORIGIN;

/// The keys of every service under test: they are made from the same seed.
fn keyring() -> Keyring {
    Keyring::generate(&SeededEntropy::from_seed(0), the_beginning()).unwrap()
}

/// The public key of the record of every service under test.
pub(crate) fn log_key() -> VerifierKey {
    let public = keyring().checkpoints().active().public();
    VerifierKey::new(ORIGIN, KeyKind::Log, public).unwrap()
}

/// A checkpoint that the log of this origin signs.
pub(crate) fn signed(origin: &str, head: TreeHead) -> Vec<u8> {
    let keyring = keyring();
    let key = keyring.checkpoints().active();
    let text = checkpoint::text(origin, head).unwrap();
    let public = VerifierKey::new(origin, KeyKind::Log, key.public()).unwrap();
    let signature = public.signature(&key.sign(&text), the_beginning()).unwrap();
    checkpoint::note(&text, &[signature]).unwrap()
}

/// A tree of so many entries, of which those from `fork_at` on say `branch`.
pub(crate) fn tree(size: u64, fork_at: u64, branch: u8) -> Tiles {
    let leaf = |n: u64| leaf_hash(&[n as u8, (n >> 8) as u8, if n < fork_at { 0 } else { branch }]);
    let leaves: Vec<Hash> = (0..size).map(leaf).collect();
    let mut tiles = Tiles::default();
    tiles.grow(0, &leaves).unwrap();
    tiles
}

/// What the log puts before a witness that knows `old_size` entries of this tree.
pub(crate) fn submission(tiles: &Tiles, old_size: u64, size: u64) -> Submission {
    let head = TreeHead { size, root: tiles.root(size).unwrap() };
    let proof = tiles.prove_growth(old_size, size).unwrap();
    Submission { old_size, proof, checkpoint: signed(ORIGIN, head) }
}

/// What a witness answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
}

/// A witness of the record of services under test.
pub(crate) struct Witness {
    terminal: Terminal,
    running: Option<Running>,
    pub(crate) key: VerifierKey,
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Witness {
    /// A new one, which runs.
    pub(crate) async fn start(name: &str) -> Self {
        let terminal = Terminal::open();
        let made = terminal.run(&["witness", "create", "--name", name]).await.well();
        let key: VerifierKey = made.trim().parse().unwrap();
        let url = "http://127.0.0.1:0".to_owned();
        let mut witness = Self { terminal, running: None, key, url, http: http_client() };
        witness.resume().await;
        witness
    }

    /// Starts the program again, where it was before.
    pub(crate) async fn resume(&mut self) {
        let listen = self.url.strip_prefix("http://").unwrap();
        let log = log_key().to_string();
        let arguments = ["witness", "serve", "--listen", listen, "--logs", &log];
        let mut running = self.terminal.start(&arguments);
        self.url = running.after(&format!("witness {} at ", self.key)).await;
        self.running = Some(running);
    }

    /// Ends the program without a word.
    pub(crate) async fn kill(&mut self) {
        self.running.take().expect("a witness that runs").kill().await;
    }

    /// The same, without waiting for the end.
    pub(crate) fn start_kill(&mut self) {
        self.running.as_mut().expect("a witness that runs").start_kill();
    }

    /// Asks the program to end, and says whether it ended well.
    pub(crate) async fn terminate(&mut self) -> bool {
        self.running.take().expect("a witness that runs").terminate().await.success()
    }

    /// Puts a checkpoint before it; `None` if no whole answer came.
    pub(crate) fn add(
        &self,
        request: impl Into<reqwest::Body>,
    ) -> impl Future<Output = Option<Answer>> + 'static {
        let request = self.http.post(format!("{}/add-checkpoint", self.url)).body(request);
        async move {
            let answer = request.send().await.ok()?;
            let media_type = answer.headers().get("content-type");
            let media_type = media_type.map_or("", |value| value.to_str().unwrap()).to_owned();
            let status = answer.status().as_u16();
            Some(Answer { status, media_type, body: answer.bytes().await.ok()?.to_vec() })
        }
    }

    /// A page of it.
    pub(crate) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    fn address(&self) -> WitnessAddress {
        format!("{}={}", self.key, self.url).parse().unwrap()
    }
}

/// The setting for these witnesses.
pub(crate) fn setting(witnesses: &[&Witness], min: usize) -> Witnesses {
    let all = witnesses.iter().map(|witness| witness.address()).collect();
    Witnesses::new(all, Some(min)).unwrap()
}
