//! The program as a client of a service, as people type it at a terminal: what it prints, what it
//! keeps, and with which status it ends.

mod desk;
mod logins;
mod main_job;
mod requests;
mod statuses;
mod strange_servers;
