//! Writes a copy of a made-up record, to measure what verifying and proving cost:
//! `cargo run --release --example record_folder -- FOLDER ENTRIES`. Prints the public key.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that cannot be set up should stop"
)]

use std::path::Path;

use keylend::audit::bundle;
use keylend::audit::checkpoint::TreeHead;
use keylend::audit::entry::leaf_hash;
use keylend::audit::tile::TileSlice;
use keylend::audit::tree::Tiles;
use keylend::disk::folder::Folder;

#[path = "../tests/it/support/story.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod story;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let usage = "record_folder FOLDER ENTRIES";
    let folder = Folder::at(Path::new(&arguments.next().expect(usage)));
    let size: u64 = arguments.next().and_then(|size| size.parse().ok()).expect(usage);
    let turn = folder.turn().unwrap().expect("another process is writing there");
    let (mut story, mut tiles) = (story::Story::of(1), Tiles::default());
    for slice in TileSlice::of_level(0, size) {
        let (mut bytes, mut hashes) = (Vec::new(), Vec::new());
        for leaf in story.by_ref().take(usize::try_from(slice.width).unwrap()) {
            bundle::push(&mut bytes, &leaf).unwrap();
            hashes.push(leaf_hash(&leaf));
        }
        tiles.grow(slice.tile.number * 256, &hashes).unwrap();
        turn.replace(&slice.entries_path(), &bytes).unwrap();
    }
    for level in 0..8 {
        for slice in TileSlice::of_level(level, size) {
            turn.replace(&slice.path(), tiles.get(slice.tile).unwrap()).unwrap();
        }
    }
    let signer = story::Signer::of(1);
    let head = TreeHead { size, root: tiles.root(size).unwrap() };
    turn.replace("checkpoint", &signer.sign(head)).unwrap();
    println!("{}", signer.key());
}
