//! The pages at `/docs/`: all are there, lead only to what is there, and run nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Actor, on_both};

/// What stands in quotation marks after this in a page.
fn quoted<'p>(page: &'p str, before: &str) -> BTreeSet<&'p str> {
    page.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Every page that can be reached from the first one, by its address.
async fn pages(visitor: &Actor) -> BTreeMap<String, String> {
    let (mut pages, mut open) = (BTreeMap::new(), vec!["/docs/".to_owned()]);
    while let Some(address) = open.pop() {
        let is_page = address.starts_with("/docs/") && !address.starts_with("/docs/api");
        if !is_page || pages.contains_key(&address) || address.ends_with(".css") {
            continue;
        }
        let reply = visitor.get(&address).await.expect(200);
        assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
        let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        assert_eq!(reply.headers["content-security-policy"], policy, "{address}");
        let page = reply.body.as_str().unwrap().to_owned();
        open.extend(
            quoted(&page, "href=\"")
                .into_iter()
                .map(|link| link.split('#').next().unwrap().to_owned()),
        );
        pages.insert(address, page);
    }
    pages
}

on_both! {
    async fn every_link_of_every_page_leads_to_something_that_is_there(app) {
        let visitor = Actor::nobody(app);
        let pages = pages(&visitor).await;
        for name in ["quick-start", "backend", "events", "errors", "glossary", "grants", "grant-token", "commands", "access"] {
            assert!(pages.contains_key(&format!("/docs/{name}")), "{name}");
        }
        let mut elsewhere = BTreeSet::new();
        for (address, page) in &pages {
            for link in quoted(page, "href=\"").into_iter().filter(|link| !link.starts_with("https://")) {
                let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
                let path = if path.is_empty() { address } else { path };
                match pages.get(path) {
                    Some(page) if !fragment.is_empty() => {
                        assert!(quoted(page, "id=\"").contains(fragment), "{address} leads to {link}");
                    }
                    Some(_) => {}
                    None => drop(elsewhere.insert(path)),
                }
            }
        }
        assert!(elsewhere.contains("/problems/grant_revoked") && elsewhere.contains("/docs/api/"));
        for path in elsewhere {
            visitor.get(path).await.expect(200);
        }
        assert_eq!(visitor.get("/docs").await.expect(308).headers["location"], "/docs/");
    }

    async fn pages_run_nothing_and_load_nothing_from_elsewhere(app) {
        for (address, page) in pages(&Actor::nobody(app)).await {
            for active in ["<script", "<iframe", "<img", "<form", "<style", "javascript:", " style=", " onclick", " onload"] {
                assert!(!page.contains(active), "{address} has {active}");
            }
        }
    }

    async fn every_code_of_a_problem_is_explained(app) {
        let visitor = Actor::nobody(app);
        let described = visitor.get("/openapi.json").await.expect(200).body;
        let kinds = described["components"]["schemas"]["ProblemCode"].to_string();
        let page = visitor.get("/docs/errors").await.expect(200).body;
        let explained = quoted(page.as_str().unwrap(), "href=\"/problems/");
        assert!(explained.len() > 50, "{explained:?}");
        for code in explained {
            assert!(kinds.contains(&format!("\"{code}\"")), "{code}");
            visitor.get(&format!("/problems/{code}")).await.expect(200);
        }
    }
}
