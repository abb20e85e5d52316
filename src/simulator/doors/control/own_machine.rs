//! Who is let in to the test controls: processes of this machine, and no page in a browser on it. A
//! page can have its browser send a form anywhere, and its owner can let a name of his mean this
//! machine; such requests are known by their `Content-Type` and their `Host`.

use std::net::IpAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::uri::Authority;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::request::{unknown, wrong};
use crate::simulator::doors::listener::Peer;

/// Lets requests of this machine through; others see nothing here.
pub(super) async fn only(
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if !peer.is_this_machine() || !is_meant_for_this_machine(&request) {
        return unknown().into_response();
    }
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    if has_body && !is_json(&request) {
        return wrong("the body must be application/json").into_response();
    }
    next.run(request).await
}

/// Whether the request was sent to an address of this machine, and not to a name that leads here.
fn is_meant_for_this_machine(request: &Request) -> bool {
    let in_header = || request.headers().get(header::HOST)?.to_str().ok()?.parse().ok();
    // In HTTP/2 it is a part of the address.
    let authority: Option<Authority> = request.uri().authority().cloned().or_else(in_header);
    authority.is_some_and(|authority| {
        let host = authority.host();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        }
    })
}

fn is_json(request: &Request) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}
