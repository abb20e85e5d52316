//! `/docs/…`: the pages for people who build on the API, from the files in `docs/` and the README, beside the API
//! reference. They are made once, run nothing, and load nothing but their style.

mod errors;
mod markdown;

use std::sync::LazyLock;

use askama::Template;
use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::get;

use super::headers::CSP_PAGES;
use super::problem::Entry;

const README: &str = include_str!("../../README.md");
const ABOUT: &str = "# Keylend\n\nKeylend lends car keys. An owner issues a grant for a car to a guest; Keylend checks each \
    request against it, sends commands to the car, and records every decision.\n\n";

/// One page.
struct Chapter {
    /// The last part of its address: the name of its file, so that links between files work here.
    name: &'static str,
    title: &'static str,
    about: &'static str,
    source: Source,
}

/// Where the text of a page comes from.
enum Source {
    File(&'static str),
    /// The part of the README below the heading, and then the file below its title.
    Readme(&'static str, &'static str),
    Catalog,
}

macro_rules! pages {
    (@ file $name:literal) => { Source::File(include_str!(concat!("../../docs/", $name, ".md"))) };
    (@ readme $heading:literal $name:literal) => { Source::Readme($heading, "") };
    (@ both $heading:literal $name:literal) => {
        Source::Readme($heading, include_str!(concat!("../../docs/", $name, ".md")))
    };
    (@ catalog $name:literal) => { Source::Catalog };
    ($($name:literal $title:literal $about:literal ($kind:ident $($heading:literal)?);)*) => {
        const PAGES: &[Chapter] =
            &[$(Chapter { name: $name, title: $title, about: $about, source: pages!(@ $kind $($heading)? $name) },)*];
    };
}

pages! {
    "quick-start" "Quick start" "From nothing to an unlocked car, in a shell." (readme "First key");
    "backend" "Backends" "A backend that lends the cars of a fleet." (both "For backends");
    "grants" "Grants" "How a grant begins, changes and ends." (file);
    "grant-token" "Grant token" "The signed form of a grant, and how to verify it." (file);
    "commands" "Commands" "What each outcome means, and what to show to the person at the car." (file);
    "events" "Events" "Events as pages, as a stream and as webhooks." (file);
    "errors" "Errors" "Every code of a problem, and what to do." (catalog);
    "access" "Access" "Who may do what." (file);
    "smartcar-sdk" "Smartcar SDKs" "Using a grant with the SDKs of Smartcar." (file);
    "simulator" "Simulator" "A vehicle cloud to test with, without a car." (file);
    "command-line" "Command line" "The program as a client of the API." (file);
    "record" "Record" "The formats of the record, and how to verify it." (file);
    "operations" "Operations" "Running the service." (file);
    "metrics" "Metrics" "What to measure the service by." (file);
    "threat-model" "Threat model" "Who might attack, and what stops them." (file);
    "glossary" "Glossary" "The words of the API and of these pages." (file);
}

/// What surrounds the text of a page.
#[derive(Template)]
#[template(path = "docs.html")]
struct Frame<'a> {
    title: &'a str,
    contents: &'static [Chapter],
    body: String,
}

/// Each page's address, and the page.
static RENDERED: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let pages = PAGES.iter().map(|page| (page.address(), framed(page.title, &page.text())));
    let contents = ("/docs/".to_owned(), framed("Documentation", &contents()));
    pages.chain([contents]).collect()
});

/// The routes of the pages.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let style =
        ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("docs/pages.css"));
    let others = Router::new()
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route("/docs/pages.css", get(async move || style));
    RENDERED.iter().fold(others, |router, (address, page)| {
        router.route(address, get(async move || shown(page.as_str())))
    })
}

/// The page about one kind of problem.
pub(super) fn problem_page(entry: Entry) -> impl IntoResponse {
    shown(framed(entry.code, &format!("# `{}`\n\n{}", entry.code, errors::about(entry))))
}

fn shown<T>(page: T) -> impl IntoResponse
where
    Html<T>: IntoResponse,
{
    ([(header::CONTENT_SECURITY_POLICY, CSP_PAGES)], Html(page))
}

impl Chapter {
    fn address(&self) -> String {
        format!("/docs/{}", self.name)
    }

    fn text(&self) -> String {
        match self.source {
            Source::File(text) => text.to_owned(),
            Source::Readme(heading, file) => {
                let more = file.split_once('\n').map_or("", |(_, below_the_title)| below_the_title);
                format!("# {}\n{}{more}", self.title, section(README, heading))
            }
            Source::Catalog => errors::page(),
        }
    }
}

fn framed(title: &str, text: &str) -> String {
    let body = markdown::html(text, &address_of);
    Frame { title, contents: PAGES, body }.render().unwrap_or_default()
}

/// The part of a file below a heading of the second level.
fn section<'f>(file: &'f str, heading: &str) -> &'f str {
    let below = file.split_once(&format!("\n## {heading}\n")).map_or("", |(_, below)| below);
    below.split_once("\n## ").map_or(below, |(text, _)| text)
}

fn contents() -> String {
    let line =
        |Chapter { name, title, about, .. }: &Chapter| format!("- [{title}]({name}.md): {about}\n");
    let api = "- [API reference](/docs/api/): every operation, from the [API document](openapi.yaml) (OpenAPI 3.1).\n";
    PAGES.iter().map(line).chain([api.to_owned()]).fold(ABOUT.to_owned(), |text, line| text + &line)
}

/// Where a link of a file leads on these pages. Files that are no pages are in the repository alone.
fn address_of(link: &str) -> Option<String> {
    if ["https://", "#", "/"].iter().any(|start| link.starts_with(start)) {
        return Some(link.to_owned());
    }
    if link.ends_with("openapi.yaml") {
        return Some("/openapi.yaml".to_owned());
    }
    let (path, fragment) = link.split_at(link.find('#').unwrap_or(link.len()));
    let name = path.strip_prefix("docs/").unwrap_or(path).strip_suffix(".md")?;
    let page = PAGES.iter().find(|page| page.name == name)?;
    Some(format!("{}{fragment}", page.address()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_files_lead_to_pages_or_nowhere() {
        for (link, address) in [
            ("grants.md", Some("/docs/grants")),
            ("docs/grants.md#pausing", Some("/docs/grants#pausing")),
            ("#pausing", Some("#pausing")),
            ("../openapi.yaml", Some("/openapi.yaml")),
            ("https://c2sp.org/tlog-tiles", Some("https://c2sp.org/tlog-tiles")),
            ("adr/0025-one-frame.md", None),
            ("../ARCHITECTURE.md#the-promises", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(address_of(link).as_deref(), address, "{link}");
        }
    }

    #[test]
    fn every_page_has_a_text() {
        for page in PAGES {
            let text = page.text();
            assert!(text.starts_with("# ") && text.len() > 1000, "{}: {text:.80}", page.name);
        }
    }
}
