//! A PostgreSQL server that goes away and comes back, and servers that must not be used.

use super::stage::{Stage, assert_turned_away_well, assert_wait, until_ready, until_status};
use crate::checker::history::Outage;
use crate::support::postgres::own::OwnServer;
use crate::torture;
use crate::torture::installation::Installation;
use crate::torture::run::Run;

/// So many requests are made while a server is away that it takes longer than a command may take to
/// leave: the checker finds whatever leaves later.
const TURNED_AWAY: u64 = 500;

/// How a server goes away.
#[derive(Debug, Clone, Copy)]
enum End {
    Killed,
    Stopped,
}

async fn comes_back_after(end: End) {
    let mut server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    let installation = Installation::at(&server.url(), 1).await;
    let mut run = Run::prepare("a server that goes away", installation, torture::seed());
    let service = run.serve(0, None).await;
    let service_url = run.installation.url(0);
    run.begin().await;
    run.flows(100).await;
    tokio::task::block_in_place(|| match end {
        End::Killed => server.kill(),
        End::Stopped => server.stop(),
    });
    let away = until_ready(&service_url, false).await;
    let failing = away.body["errors"].as_array().unwrap();
    assert!(failing.iter().any(|check| check["pointer"] == "database"), "{}", away.body);
    let from_us = run.world.log.now_us();
    run.turns_away(TURNED_AWAY).await;
    let outage = Outage { from_us, until_us: run.world.log.now_us() };
    tokio::task::block_in_place(|| server.run());
    run.flows(20).await;
    run.is_able();
    until_ready(&service_url, true).await;
    run.tally.count_end(format!("server {end:?}").to_lowercase());
    run.tally.cycles += 1;
    run.finish_with(vec![service], |history| {
        assert_turned_away_well(history);
        history.outages.push(outage);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_costs_nothing_that_was_acknowledged() {
    comes_back_after(End::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_at_once_under_load_costs_nothing_either() {
    comes_back_after(End::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_or_a_read_only_server_is_refused() {
    let (server, mut standby) = tokio::task::spawn_blocking(|| {
        let server = OwnServer::start();
        let standby = server.new_standby();
        (server, standby)
    })
    .await
    .unwrap();
    let stage = Stage::open(Some(&server.url())).await;
    let database = standby.url();
    let mut refused = stage.terminal.start_with(&["serve"], &[("KEYLEND_DATABASE_URL", &database)]);
    refused.logged_after("standby or read-only").await;
    assert_eq!(refused.ended().await.0.code(), Some(1));

    let service = stage.serve(&[]).await;
    let owner = stage.owner(&service).await;
    owner.command(&owner.vehicles[0], "unlock").await.expect(200);
    // The server becomes read-only while the service runs, for sessions that begin from now on.
    let role = "ALTER ROLE keylend SET default_transaction_read_only";
    let end = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name LIKE 'keylend%'";
    let sql =
        |statement: String| tokio::task::block_in_place(|| server.sql("postgres", &statement));
    sql(format!("{role} = on"));
    sql(end.to_owned());
    until_ready(&service.url, false).await;
    let executed = stage.executed().await;
    let refused = owner.command(&owner.vehicles[0], "unlock").await;
    assert_wait(&refused);
    assert_eq!(stage.executed().await, executed, "sent by a read-only server");
    sql(format!("{role} = off"));
    sql(end.to_owned());
    until_status(200, || owner.command(&owner.vehicles[0], "unlock")).await;
    tokio::task::block_in_place(|| standby.stop());
    stage.close(vec![service]).await;
}
