//! A backend that takes webhooks: it keeps what arrives, and answers as the test says. It can be stopped and started again at the
//! same address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One message that arrived, and whether it was taken.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) was_taken: bool,
}

impl Arrival {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn event_type(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }
}

/// What is answered to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// This status.
    Status(u16),
    /// A redirect to the same place.
    Redirect,
    /// A status that says yes, and more bytes than anybody wants.
    Large,
    /// Nothing, ever.
    Hang,
}

type Answering = dyn Fn(&Arrival) -> Behaviour + Send + Sync;

/// A backend that takes webhooks.
pub(crate) struct Receiver {
    address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    answering: Arc<Mutex<Arc<Answering>>>,
    server: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Starts one that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering: Arc<Answering> = Arc::new(|_| Behaviour::Status(204));
        let answering = Arc::new(Mutex::new(answering));
        let mut receiver = Self { address, arrivals: Arc::default(), answering, server: None };
        receiver.serve(listener);
        receiver
    }

    fn serve(&mut self, listener: TcpListener) {
        let (arrivals, answering) = (Arc::clone(&self.arrivals), Arc::clone(&self.answering));
        let take = async move |headers: HeaderMap, body: Bytes| {
            let answering = Arc::clone(&answering.lock().unwrap_or_else(PoisonError::into_inner));
            let mut arrival = Arrival { headers, body, was_taken: false };
            let behaviour = answering(&arrival);
            arrival.was_taken = matches!(behaviour, Behaviour::Status(200..300));
            arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
            answer(behaviour).await
        };
        let router = Router::new().route("/hook", post(take));
        #[expect(clippy::disallowed_methods, reason = "it is aborted in `stop` or with the test")]
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        self.server = Some(server);
    }

    /// Where it takes webhooks.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers like this from now on.
    pub(crate) fn answers(
        &self,
        answering: impl Fn(&Arrival) -> Behaviour + Send + Sync + 'static,
    ) {
        *self.answering.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(answering);
    }

    /// Everything that arrived, in order.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The types of what arrived and was taken.
    pub(crate) fn taken(&self) -> Vec<String> {
        let taken = self.arrivals().into_iter().filter(|arrival| arrival.was_taken);
        taken.map(|arrival| arrival.event_type()).collect()
    }

    /// Ends it as a crash does.
    pub(crate) async fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
    }

    /// Starts it again at the same address.
    pub(crate) async fn revive(&mut self) {
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        self.serve(listener);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn answer(behaviour: Behaviour) -> Response {
    match behaviour {
        Behaviour::Status(status) => {
            (StatusCode::from_u16(status).unwrap(), "as told").into_response()
        }
        Behaviour::Redirect => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/hook")]).into_response()
        }
        Behaviour::Large => vec![b'x'; 1024 * 1024].into_response(),
        Behaviour::Hang => std::future::pending().await,
    }
}
