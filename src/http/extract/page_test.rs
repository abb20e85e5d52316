//! Pages and cursors.

use super::*;
use crate::domain::id::VehicleId;
use crate::http::problem::Code;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    vehicle_id: Option<VehicleId>,
}

fn of(query: &str) -> Result<Paged<Filter>, Problem> {
    Paged::of(&format!("/v1/things?{query}").parse().unwrap())
}

/// Rows 100 … 1 as a store would give them.
fn rows(page: Page) -> Vec<u128> {
    let before = page.before.map_or(u128::MAX, |id| id.as_u128());
    let rows = (1..=100).rev().filter(|&row| row < before);
    rows.take(usize::try_from(page.limit).unwrap()).collect()
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let mut seen: Vec<u128> = Vec::new();
    let mut query = "limit=40".to_owned();
    loop {
        let paged = of(&query).unwrap();
        let list = paged.list(rows(paged.page), |row| Uuid::from_u128(*row), |row| row);
        assert!(list.data.len() <= 40);
        seen.extend(&list.data);
        match list.next {
            Some(next) => query = next.split_once('?').unwrap().1.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (1..=100).rev().collect::<Vec<u128>>());
}

#[test]
fn a_page_that_ends_with_the_last_row_has_no_next() {
    let paged = of("limit=100").unwrap();
    let list = paged.list(rows(paged.page), |row| Uuid::from_u128(*row), |row| row);
    assert_eq!((list.data.len(), list.next_cursor), (100, None));
}

#[test]
fn the_link_keeps_the_filter() {
    let vehicle = "vehicle_id=veh_00000000000000000000000007";
    let paged = of(&format!("limit=1&{vehicle}")).unwrap();
    assert!(paged.filter.vehicle_id.is_some());
    let list = paged.list(vec![2, 1], |row| Uuid::from_u128(*row), |row| row);
    let response = list.into_response();
    let link = response.headers()[header::LINK].to_str().unwrap();
    let start = format!("</v1/things?{vehicle}&limit=1&cursor=AQ");
    assert!(link.starts_with(&start), "{link}");
    assert!(link.ends_with(">; rel=\"next\""), "{link}");
}

#[test]
fn what_is_no_page_is_refused() {
    assert_eq!(of("").unwrap().page.limit, 51);
    let wrong = [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=many", "?limit"),
        ("limit=1&limit=2", "?limit"),
        ("cursor=", "?cursor"),
        ("cursor=AAAAAAAAAAAAAAAAAAAAAAA", "?cursor"),
        ("cursor=AQ", "?cursor"),
        ("cursor=%00", "?cursor"),
        ("colour=red", "?colour"),
        ("vehicle_id=x", "?vehicle_id"),
    ];
    for (query, pointer) in wrong {
        let problem = of(query).unwrap_err();
        assert_eq!(problem.code(), Code::ValidationFailed, "{query}");
        assert_eq!(problem.violations()[0].pointer, pointer, "{query}");
    }
}
