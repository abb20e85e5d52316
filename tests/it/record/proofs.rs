//! Proofs that people can keep.

use keylend::audit::proof::Proof;
use serde_json::Value;

use crate::support::record::{ORIGIN, verifier_keys};
use crate::support::{Actor, on_both};

async fn proof(actor: &Actor, entry_id: &str) -> Proof {
    let path = format!("/v1/audit-entries/{entry_id}/proof");
    let answer = actor.get(&path).await.expect(200);
    let file = answer.body.as_str().expect("a text").to_owned();
    Proof::from_bytes(file.as_bytes()).unwrap()
}

on_both! {
    async fn owner_and_guest_can_prove_what_happened_with_the_car(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        holder.command(&owner.vehicles[0], "unlock").await.expect(200);
        let path = format!("/v1/audit-entries?grant_id={grant_id}");
        let entries = owner.get(&path).await.expect(200);
        let keys = verifier_keys(app.service());
        for entry in entries.body["data"].as_array().unwrap() {
            let entry_id = entry["entry_id"].as_str().unwrap();
            for actor in [&owner, &guest] {
                let proof = proof(actor, entry_id).await;
                let head = proof.check(ORIGIN, &keys).unwrap().head;
                assert!(proof.position < head.size);
                let leaf: Value = serde_json::from_slice(&proof.leaf).unwrap();
                assert_eq!((&leaf["entry_id"], &leaf["details"]), (&entry["entry_id"], &entry["details"]));
            }
            let path = format!("/v1/audit-entries/{entry_id}/proof");
            stranger.get(&path).await.expect_problem(404, "not_found");
        }
        guest.get("/v1/audit-entries/evt_00000000000000000000000000/proof").await.expect_problem(404, "not_found");
    }
}
