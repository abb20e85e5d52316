//! The API, noun by noun, as its users meet it: every story on SQLite and on PostgreSQL.

mod main_job;
