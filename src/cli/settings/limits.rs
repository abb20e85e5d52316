//! How much the service takes on: from everybody, from each caller, and of the vehicle cloud.

use std::num::{NonZeroU8, NonZeroU32};

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::config::{Allowance, Limits};

/// How much the service takes on.
#[derive(Debug, Clone, Copy, Args)]
pub struct LimitSettings {
    /// At most so many connections of clients are open, if the process may have as many files open.
    #[arg(
        long,
        env = "KEYLEND_CONNECTIONS_MAX",
        value_name = "COUNT",
        default_value_t = Limits::default().connections_max,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000)
    )]
    pub connections_max: usize,

    /// At most so many of them are from one address, and never more than half; those of trusted
    /// proxies are not counted.
    #[arg(
        long,
        env = "KEYLEND_CONNECTIONS_PER_ADDRESS_MAX",
        value_name = "COUNT",
        default_value_t = Limits::default().connections_per_address_max,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000)
    )]
    pub connections_per_address_max: usize,

    /// So often one address may ask for what needs no credentials, such as signing in; four times
    /// as often for a moment.
    #[arg(
        long,
        env = "KEYLEND_VISITS_PER_SECOND",
        value_name = "COUNT",
        default_value_t = Limits::default().visits_per_second
    )]
    pub visits_per_second: NonZeroU32,

    /// At most so many commands wait for a decision.
    #[arg(
        long,
        env = "KEYLEND_COMMANDS_WAITING_MAX",
        value_name = "COUNT",
        default_value_t = Limits::default().commands_waiting_max,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..)
    )]
    pub commands_waiting_max: usize,

    /// So often one person, or one API client for a person, may ask at once for what is decided on or
    /// recorded; to lock a car, and to end a right, as often again.
    #[arg(
        long,
        env = "KEYLEND_CALLER_REQUESTS_BURST",
        value_name = "COUNT",
        default_value_t = Limits::default().caller_requests.burst,
        value_parser = clap::value_parser!(u32).range(10..)
    )]
    pub caller_requests_burst: u32,

    /// So often they may ask again each minute.
    #[arg(
        long,
        env = "KEYLEND_CALLER_REQUESTS_PER_MINUTE",
        value_name = "COUNT",
        default_value_t = Limits::default().caller_requests.per_minute,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub caller_requests_per_minute: u32,

    /// So often one person may use one grant at once; to lock the car, as often again.
    #[arg(
        long,
        env = "KEYLEND_GRANT_REQUESTS_BURST",
        value_name = "COUNT",
        default_value_t = Limits::default().grant_requests.burst,
        value_parser = clap::value_parser!(u32).range(10..)
    )]
    pub grant_requests_burst: u32,

    /// So often they may use it again each minute.
    #[arg(
        long,
        env = "KEYLEND_GRANT_REQUESTS_PER_MINUTE",
        value_name = "COUNT",
        default_value_t = Limits::default().grant_requests.per_minute,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub grant_requests_per_minute: u32,

    /// At most so many requests about one car go to the vehicle cloud at once.
    #[arg(
        long,
        env = "KEYLEND_VEHICLE_REQUESTS_BURST",
        value_name = "COUNT",
        default_value_t = Limits::default().vehicle_requests.burst,
        value_parser = clap::value_parser!(u32).range(10..)
    )]
    pub vehicle_requests_burst: u32,

    /// So many requests about one car are allowed again each minute.
    #[arg(
        long,
        env = "KEYLEND_VEHICLE_REQUESTS_PER_MINUTE",
        value_name = "COUNT",
        default_value_t = Limits::default().vehicle_requests.per_minute,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub vehicle_requests_per_minute: u32,

    /// At most so many requests go to the vehicle cloud at once.
    #[arg(
        long,
        env = "KEYLEND_APPLICATION_REQUESTS_BURST",
        value_name = "COUNT",
        default_value_t = Limits::default().application_requests.burst,
        value_parser = clap::value_parser!(u32).range(10..)
    )]
    pub application_requests_burst: u32,

    /// So many requests to the vehicle cloud are allowed again each minute.
    #[arg(
        long,
        env = "KEYLEND_APPLICATION_REQUESTS_PER_MINUTE",
        value_name = "COUNT",
        default_value_t = Limits::default().application_requests.per_minute,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub application_requests_per_minute: u32,

    /// At most so many passwords are hashed at the same time.
    #[arg(
        long,
        env = "KEYLEND_PASSWORD_HASHES_MAX",
        value_name = "COUNT",
        default_value_t = Limits::default().password_hashes_max
    )]
    pub password_hashes_max: NonZeroU8,
}

impl LimitSettings {
    /// The settings as checked values.
    #[must_use]
    pub fn into_config(self) -> Limits {
        Limits {
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            visits_per_second: self.visits_per_second,
            commands_waiting_max: self.commands_waiting_max,
            password_hashes_max: self.password_hashes_max,
            grants_per_step: Limits::default().grants_per_step,
            caller_requests: Allowance {
                burst: self.caller_requests_burst,
                per_minute: self.caller_requests_per_minute,
            },
            grant_requests: Allowance {
                burst: self.grant_requests_burst,
                per_minute: self.grant_requests_per_minute,
            },
            vehicle_requests: Allowance {
                burst: self.vehicle_requests_burst,
                per_minute: self.vehicle_requests_per_minute,
            },
            refusal_held_back: Limits::default().refusal_held_back,
            application_requests: Allowance {
                burst: self.application_requests_burst,
                per_minute: self.application_requests_per_minute,
            },
        }
    }
}
