//! What each code of a problem means and what to do, as Markdown, of which the catalog uses backticks alone.

use crate::domain::fault::Resolution;
use crate::http::problem::{Code, Entry};

const BEGINNING: &str = "# Errors

A request that was not carried out is answered with a problem (RFC 9457, `application/problem+json`):

- `code` is one of the codes below; decide by it. The sentences may change.
- `resolution` says who can help, and `retryable` whether the same request may work later.
- `detail` is for developers; `errors` names each wrong field of a request with a JSON pointer.
- `user_message` is a sentence for the person who uses the app.
- `request_id` finds the request in the operator's log.

If the answer has a `Retry-After` header, wait that many seconds. If you repeat a request, keep its `Idempotency-Key`: the request is then
carried out at most once. If it has a `DPoP` proof, sign a new one. The status given here is the usual one; a few operations use another.
";

/// The page about all codes.
pub(super) fn page() -> String {
    Code::ALL.iter().map(|code| code.entry()).fold(BEGINNING.to_owned(), |text, entry| {
        let Entry { code, .. } = entry;
        format!(
            "{text}\n## `{code}`\n\n{}- Page: [/problems/{code}](/problems/{code})\n",
            about(entry)
        )
    })
}

/// What a developer should know about one code.
pub(super) fn about(entry: Entry) -> String {
    let Entry { status, title, user_message, retryable, resolution, .. } = entry;
    let again = if retryable {
        "The same request may work later."
    } else {
        "The same request gets the same answer."
    };
    format!(
        "{title}.\n\n- Usual status: {status}\n- What to do: {} {again}\n- Message for people: {user_message}\n",
        what_to_do(resolution)
    )
}

/// What a developer does about a problem.
const fn what_to_do(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::FixRequest => "change the request; `detail` and `errors` say where.",
        Resolution::Authenticate => "send credentials: sign in, or get an access token.",
        Resolution::RetryLater => "wait, then send the request again.",
        Resolution::Reauthenticate => {
            "get new credentials, or have the owner connect the car again."
        }
        Resolution::ContactOwner => "tell the person to ask the owner of the car.",
        Resolution::ContactAdmin => {
            "ask an administrator of the organization or the operator of the service."
        }
        Resolution::None => "nothing can change this; show the person what happened.",
    }
}
