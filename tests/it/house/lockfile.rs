//! What must not come into the house with a dependency.
//!
//! `deny.toml` says the same to cargo-deny, with licences and advisories beside it. This reads
//! `Cargo.lock` itself, so that the rule holds where cargo-deny is not installed.

/// A second TLS or crypto stack beside rustls and ring: more to audit, and more to build.
const BANNED: &[&str] =
    &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys"];

fn banned_crates(lockfile: &str) -> Vec<String> {
    lockfile
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .filter(|name| BANNED.contains(name))
        .map(|name| format!("Cargo.lock: {name} is banned (deny.toml says why)"))
        .collect()
}

fn missing_from_deny(deny: &str) -> Vec<String> {
    BANNED
        .iter()
        .filter(|name| !deny.contains(&format!("\"{name}\"")))
        .map(|name| format!("deny.toml: does not ban {name}"))
        .collect()
}

/// A lock file with download addresses works only where these can be reached. Where a project asks for money is none.
fn download_addresses(lockfile: &str) -> Vec<String> {
    let is_funding = |line: &&str| line.trim_start().starts_with("\"url\":");
    lockfile
        .lines()
        .filter(|line| line.contains("\"resolved\"") || line.contains("://"))
        .filter(|line| !is_funding(line))
        .map(|line| format!("package-lock.json: names where to download: {}", line.trim()))
        .collect()
}

#[test]
fn no_banned_crate_is_locked() {
    let lockfile = include_str!("../../../Cargo.lock");
    assert!(lockfile.contains("name = \"ring\""), "the lock file is not being read");
    super::assert_none(&banned_crates(lockfile));
}

#[test]
fn cargo_deny_bans_the_same() {
    super::assert_none(&missing_from_deny(include_str!("../../../deny.toml")));
}

#[test]
fn the_node_tools_are_locked_without_addresses() {
    super::assert_none(&download_addresses(include_str!("../../tools/package-lock.json")));
}

#[test]
fn a_banned_crate_is_flagged() {
    let violations = banned_crates("[[package]]\nname = \"openssl-sys\"\nversion = \"0.9.0\"\n");
    super::assert_flagged(&violations, "openssl-sys is banned");
    super::assert_flagged(&missing_from_deny("bans = [\"openssl\"]"), "does not ban aws-lc-rs");
    let address = "  \"resolved\": \"somewhere\",";
    super::assert_flagged(&download_addresses(address), "names where to download");
}
