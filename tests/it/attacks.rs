//! Moments that somebody could choose, or meet by chance, to break a promise.

mod accounts;
mod acting_for;
mod amendments;
mod careless_settings;
mod consents;
mod database_downgrade;
mod deadlock;
mod ended_keys;
mod ends;
mod enumeration;
mod hammering;
mod holds;
mod limited_clients;
mod namesakes;
mod onlookers;
mod other_users;
mod pins;
mod refresh_tokens;
mod reloaded_pages;
mod repeated_codes;
mod returned_consents;
mod shared_proxy;
mod sleepers;
mod strange_page;
mod transfers;
mod unsigned_webhooks;
