//! The record as others read it, over HTTP.

use keylend::audit::checkpoint;
use keylend::audit::entry::leaf_hash;
use keylend::audit::tile::TileSlice;
use keylend::audit::tree::{Tiles, hashes};
use keylend::audit::{Hash, bundle};
use reqwest::Method;

use crate::support::record::{ORIGIN, leaves, sequence_and_sign, verifier_keys};
use crate::support::{Actor, TestApp, on_both};

async fn bytes(actor: &Actor, path: &str) -> Vec<u8> {
    let answer = actor.request(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().to_vec()
}

/// What a monitor does: takes the checkpoint, fetches the tiles that its size asks for, and
/// computes the root.
async fn monitored(app: &TestApp) -> (Tiles, checkpoint::TreeHead) {
    let nobody = Actor::nobody(app);
    let note = bytes(&nobody, "/log/checkpoint").await;
    let head = checkpoint::open(&note, ORIGIN, &verifier_keys(app.service())).unwrap().head;
    let mut tiles = Tiles::default();
    for slice in TileSlice::of_level(0, head.size).chain(TileSlice::of_level(1, head.size)) {
        let tile = bytes(&nobody, &format!("/log/{}", slice.path())).await;
        assert_eq!(tile.len() as u64, slice.width * 32);
        tiles.insert(slice.tile, tile);
    }
    assert_eq!(tiles.root(head.size).unwrap(), head.root);
    (tiles, head)
}

on_both! {
    async fn anybody_can_compute_the_root_from_the_tiles(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        Actor::nobody(app).get("/log/checkpoint").await.expect_problem(404, "not_found");
        sequence_and_sign(app.service()).await;
        let (_, before) = monitored(app).await;
        for _ in 0..5 {
            owner.lend(app, &guest).await;
        }
        sequence_and_sign(app.service()).await;
        let (tiles, after) = monitored(app).await;
        let growth = tiles.prove_growth(before.size, after.size).unwrap();
        assert!(keylend::audit::tree::proves_growth(&growth, after.size, after.root, before.size, before.root));
        let too_wide = format!("/log/tile/0/000.p/{}", after.size + 1);
        for path in [&too_wide, "/log/tile/0/001", "/log/tile/3/000", "/log/tile/0/0", "/log/tile/x/000", "/log/tile/0/000.p/0", "/log/tile/0/../../v1/users"] {
            Actor::nobody(app).get(path).await.expect_problem(404, "not_found");
        }
    }

    async fn the_entries_are_for_the_operator_alone(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        sequence_and_sign(app.service()).await;
        let (tiles, head) = monitored(app).await;
        let first = TileSlice::of_level(0, head.size).next().unwrap();
        let path = format!("/log/{}", first.entries_path());
        Actor::nobody(app).get(&path).await.expect_problem(401, "token_missing");
        for actor in [&owner, &admin, &Actor::nobody(app).with_token("reader-tokem")] {
            actor.get(&path).await.expect_problem(401, "token_invalid");
        }
        let reader = Actor::nobody(app).with_token("the-reader-token");
        let bundle = bytes(&reader, &path).await;
        let short = path.replace("/log/tile/entries/", "/log/entries/");
        assert_eq!(bytes(&reader, &short).await, bundle);
        let entries: Vec<&[u8]> = bundle::leaves(&bundle).map(Result::unwrap).collect();
        let hashed: Vec<Hash> = entries.iter().map(|leaf| leaf_hash(leaf)).collect();
        assert_eq!(hashed, hashes(tiles.get(first.tile).unwrap()));
        let mut own = app.service().base.store.read().await.unwrap();
        assert_eq!(entries, leaves(&mut own).await);
        reader.get("/log/entries/007").await.expect_problem(404, "not_found");
        reader.get("/log/entries/x").await.expect_problem(404, "not_found");
    }
}
