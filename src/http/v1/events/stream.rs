//! Events as a stream (WHATWG HTML, section 9.2): one answer without an end. It ends when the service stops, and as soon as
//! the credentials, or the right to read events, are gone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::Interval;

use super::{EventBody, StreamPlace};
use crate::http::Gateway;
use crate::http::extract::Standing;
use crate::http::problem::{Code, Problem};
use crate::service::events::{self, EventCursor, EventFilter};
use crate::service::{Caller, Error};

/// So often something is sent, that the connection is known to be alive, and the credentials are looked at again.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// So long a client is asked to wait before it comes again.
const COME_AGAIN: Duration = Duration::from_secs(2);
/// So many events are read at once.
const BATCH: usize = 100;

/// A stream that is being written.
struct Following {
    gateway: Arc<Gateway>,
    standing: Standing,
    caller: Caller,
    filter: EventFilter,
    /// The position that is read next.
    next: u64,
    growth: watch::Receiver<u64>,
    /// When something is to be sent at the latest.
    alive: Interval,
    /// What is to be written.
    ready: VecDeque<Event>,
    _place: StreamPlace,
}

/// Begins a stream.
///
/// # Errors
/// Whatever a page would have; [`Code::RateLimited`] if the caller follows too many already.
pub(super) async fn open(
    gateway: Arc<Gateway>,
    standing: Standing,
    caller: Caller,
    filter: EventFilter,
    from: u64,
) -> Result<Response, Problem> {
    let place = gateway.streams.enter(&caller.actor).ok_or_else(|| {
        let detail = "Too many streams are open: eight are for one person or API client, 64 for an organization.";
        Problem::of(Code::RateLimited).detail(detail).retry_after(SIGN_OF_LIFE)
    })?;
    let growth = gateway.service.record.growth();
    let mut following = Following {
        gateway,
        standing,
        caller,
        filter,
        next: from,
        growth,
        alive: tokio::time::interval(SIGN_OF_LIFE),
        ready: VecDeque::from([Event::default().retry(COME_AGAIN)]),
        _place: place,
    };
    following.alive.reset();
    following.read().await?;
    let events = stream::unfold(following, |mut following| async move {
        let event = following.event().await?;
        Some((Ok::<Event, std::convert::Infallible>(event), following))
    });
    Ok(Sse::new(events).into_response())
}

impl Following {
    /// The next event to write; `None` at the end.
    async fn event(&mut self) -> Option<Event> {
        while self.ready.is_empty() {
            let stop = self.gateway.stop.clone();
            let is_alive = tokio::select! {
                () = stop.cancelled() => return None,
                changed = self.growth.changed() => changed.is_err(),
                _ = self.alive.tick() => true,
            };
            if let Err(ended) = self.go_on(is_alive).await {
                tracing::debug!(why = ?ended, "a stream of events ends");
                return None;
            }
        }
        self.ready.pop_front()
    }

    /// Reads new events of the organization, if there are any. The credentials are checked again before events are sent and for each
    /// sign of life, but not for entries of other organizations.
    async fn go_on(&mut self, is_alive: bool) -> Result<(), Problem> {
        self.growth.mark_unchanged();
        let base = &self.gateway.service.base;
        if !is_alive && !events::has_newer(base, &self.caller, self.next).await? {
            return Ok(());
        }
        self.caller = self.standing.caller(&self.gateway).await?;
        self.read().await?;
        if self.ready.is_empty() {
            // An id without data moves the client's cursor, and calls nobody.
            self.ready.push_back(Event::default().id(self.cursor(self.next)?));
        }
        self.alive.reset();
        Ok(())
    }

    /// Reads what there is, up to a batch.
    async fn read(&mut self) -> Result<(), Error> {
        let base = &self.gateway.service.base;
        // Before reading, so that entries which arrive meanwhile count as a change.
        self.growth.mark_unchanged();
        let page = events::read(base, &self.caller, &self.filter, self.next, BATCH).await?;
        if page.has_more {
            self.growth.mark_changed();
        }
        for (after, event) in page.events {
            let body = EventBody::from(event);
            let event = Event::default().id(self.cursor(after)?).event(body.event_type.as_str());
            self.ready.push_back(event.json_data(&body).map_err(Error::internal)?);
        }
        self.next = page.next;
        Ok(())
    }

    fn cursor(&self, next: u64) -> Result<String, Error> {
        let organization_id = self.caller.actor.organization_id;
        let cursor = EventCursor::seal(&self.gateway.service.base, organization_id, next)?;
        Ok(cursor.as_str().to_owned())
    }
}
