//! `POST /add-checkpoint` (C2SP tlog-witness): a checkpoint and the proof that it continues the
//! last one, answered with a cosignature or with why there is none.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::folder::NotCosigned;
use super::{Witness, broken, plain};
use crate::audit::witness::{Refusal, SIZE_TYPE, Submission};

pub(super) async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let submission = match Submission::from_bytes(&body) {
        Ok(submission) => submission,
        Err(refusal) => return refused(refusal),
    };
    let origin = match submission.origin() {
        Ok(origin) => origin,
        Err(refusal) => return refused(refusal),
    };
    let Some(log) = witness.logs.get(&origin).cloned() else {
        return refused(Refusal::UnknownLog);
    };
    let Ok(place) = Arc::clone(&witness.at_work).try_acquire_owned() else { return busy() };
    // A client that hangs up does not cut the work off in the middle; its place is free after it.
    let cosigned = tokio::task::spawn_blocking(move || {
        let _place = place;
        log.cosign(&submission, &witness.folder, &*witness.clock)
    });
    match cosigned.await {
        Ok(Ok(cosignature)) => (plain(), cosignature.to_bytes()).into_response(),
        Ok(Err(NotCosigned::Refused(refusal))) => {
            if matches!(refusal, Refusal::Fork | Refusal::NotContinued) {
                tracing::warn!(log = origin, %refusal, "a checkpoint was refused");
            }
            refused(refusal)
        }
        Ok(Err(NotCosigned::Busy)) => busy(),
        Ok(Err(error @ NotCosigned::Unusable { .. })) => broken(&error),
        Err(error) => broken(&error),
    }
}

fn refused(refusal: Refusal) -> Response {
    let status = match refusal {
        Refusal::Malformed | Refusal::OldBeyondNew => StatusCode::BAD_REQUEST,
        Refusal::UnknownLog => StatusCode::NOT_FOUND,
        Refusal::NotSigned => StatusCode::FORBIDDEN,
        Refusal::NotContinued => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Fork => StatusCode::CONFLICT,
        Refusal::OtherSize { known } => {
            let size_type = [(header::CONTENT_TYPE, SIZE_TYPE)];
            return (StatusCode::CONFLICT, size_type, format!("{known}\n")).into_response();
        }
    };
    (status, plain(), format!("{refusal}\n")).into_response()
}

fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response()
}
