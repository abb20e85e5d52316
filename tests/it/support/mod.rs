//! What the tests stand on: databases, the whole service on a real socket with a clock that
//! stands, a vehicle cloud of its own, and people who use both.

pub(crate) mod actors;
pub(crate) mod app;
pub(crate) mod balancer;
pub(crate) mod blocking;
pub(crate) mod cloud;
pub(crate) mod databases;
pub(crate) mod device;
pub(crate) mod household;
pub(crate) mod operated;
pub(crate) mod people;
pub(crate) mod postgres;
pub(crate) mod preloaded;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod receiver;
pub(crate) mod record;
pub(crate) mod settings;
pub(crate) mod story;
pub(crate) mod witness;

pub(crate) use actors::{Actor, Reply};
pub(crate) use app::TestApp;
pub(crate) use databases::Database;
pub(crate) use people::EVERYTHING;
pub(crate) use program::Terminal;

/// Runs a story on SQLite and on PostgreSQL: `on_both! { async fn name(app) { … } }` makes a
/// module `name` with a test for each. When the story is over the record is checked against what
/// happened.
/// `on_both! { as change; async fn … }` tells it of a service with other settings, which the
/// function `change` makes.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident) $story:block)*) => {
        $crate::support::on_both! { as |_| {}; $($(#[$attribute])* async fn $name($app) $story)* }
    };
    (as $change:expr; $($(#[$attribute:meta])* async fn $name:ident($app:ident) $story:block)*) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[allow(unused_imports, reason = "stories differ in what they need")]
                use super::*;
                use $crate::support::{Database, TestApp};

                async fn story($app: &TestApp) $story

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    let app = TestApp::start_as(Database::Sqlite, $change).await;
                    story(&app).await;
                    app.finish().await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    let app = TestApp::start_as(Database::Postgres, $change).await;
                    story(&app).await;
                    app.finish().await;
                }
            }
        )*
    };
}
pub(crate) use on_both;
