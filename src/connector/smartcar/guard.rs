//! The circuit breaker around one version of the API: which results count against the upstream
//! itself, and which calls are made even while it is left alone.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::connector::breaker::{Admission, Breaker};
use crate::connector::{ConnectorError, Happened};
use crate::domain::fault::Fault;

/// Whether a call may be left out while the upstream seems to be down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It fails at once.
    Usual,
    /// It is always worth a try: a car left open is the worse outcome.
    Always,
}

/// One upstream.
#[derive(Clone)]
pub(super) struct Guard {
    breaker: Arc<Mutex<Breaker>>,
    clock: Arc<dyn Clock>,
}

impl Guard {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { breaker: Arc::default(), clock }
    }

    /// Makes a call about a car, or says that it is no use at present.
    pub(super) async fn call<T>(
        &self,
        vehicle: &str,
        urgency: Urgency,
        call: impl Future<Output = Result<T, ConnectorError>> + Send,
    ) -> Result<T, ConnectorError> {
        if urgency == Urgency::Usual
            && let Admission::Wait(wait) = self.lock().admit(self.clock.monotonic())
        {
            let why = "the vehicle cloud is left alone, because it failed again and again";
            return Err(ConnectorError {
                retry_after: Some(wait),
                ..ConnectorError::local(Fault::Unavailable, why)
            });
        }
        let result = call.await;
        match &result {
            Err(error) if blames_upstream(error) => {
                self.lock().failed(vehicle, self.clock.monotonic());
            }
            _ => self.lock().succeeded(),
        }
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the upstream itself failed. What it says in its documented words is an answer, whatever
/// it says.
fn blames_upstream(error: &ConnectorError) -> bool {
    let silent = error.provider_code.is_none();
    match error.fault {
        Fault::Unavailable | Fault::TimedOut => silent,
        Fault::Garbled | Fault::Upstream => silent && error.happened == Happened::Maybe,
        Fault::Authentication
        | Fault::ConsentLost
        | Fault::Permission
        | Fault::Account
        | Fault::VehicleState
        | Fault::NotCapable
        | Fault::RateLimited
        | Fault::Rejected
        | Fault::Billing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::fault::ProviderCode;

    fn failure() -> ConnectorError {
        ConnectorError::local(Fault::Unavailable, "down")
    }

    async fn ask(guard: &Guard, urgency: Urgency, car: &str, down: bool) -> (bool, bool) {
        let mut asked = false;
        let call = async {
            asked = true;
            if down { Err(failure()) } else { Ok(()) }
        };
        let result = guard.call(car, urgency, call).await;
        (asked, result.is_ok())
    }

    #[tokio::test]
    async fn an_upstream_that_is_down_is_left_alone_but_for_a_lock() {
        let clock = Arc::new(ManualClock::at("2026-07-01T12:00:00Z".parse().unwrap()));
        let guard = Guard::new(clock.clone());
        for number in 0..10 {
            let car = format!("car-{number}");
            assert_eq!(ask(&guard, Urgency::Usual, &car, true).await, (true, false));
        }
        assert_eq!(ask(&guard, Urgency::Usual, "car-1", false).await, (false, false));
        assert_eq!(ask(&guard, Urgency::Always, "car-1", true).await, (true, false));
        clock.advance(std::time::Duration::from_secs(6));
        assert_eq!(ask(&guard, Urgency::Usual, "car-1", false).await, (true, true));
        assert_eq!(ask(&guard, Urgency::Usual, "car-2", false).await, (true, true));
    }

    #[tokio::test]
    async fn documented_errors_are_answers() {
        let clock = Arc::new(ManualClock::at("2026-07-01T12:00:00Z".parse().unwrap()));
        let guard = Guard::new(clock);
        for number in 0..100 {
            let provider_code = ProviderCode::new("SERVER", Some("INTERNAL"));
            let error = ConnectorError { provider_code, ..failure() };
            let call = async { Err::<(), _>(error) };
            drop(guard.call(&format!("car-{number}"), Urgency::Usual, call).await);
        }
        assert_eq!(ask(&guard, Urgency::Usual, "car-1", false).await, (true, true));
    }
}
