//! What every command of the client can be told: which login to use, for whom, and how to print.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::id::UserId;

/// The part of the help in which flags stand that every command has.
const HEADING: &str = "Options of every command of the client";

/// Which login.
#[derive(Debug, Clone, Args)]
pub(super) struct ProfileArgs {
    /// Which login to use: several stand side by side.
    #[arg(
        long,
        env = "KEYLEND_PROFILE",
        value_name = "NAME",
        default_value = "default",
        value_parser = profile,
        global = true,
        help_heading = HEADING
    )]
    pub(super) profile: String,
    /// Folder in which logins are kept; by default `keylend` in $XDG_CONFIG_HOME or ~/.config.
    #[arg(long, env = "KEYLEND_CONFIG", value_name = "PATH", global = true, help_heading = HEADING)]
    pub(super) config: Option<PathBuf>,
}

/// How to print an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum View {
    /// A few members, for people.
    Table,
    /// The whole body, as the API gave it.
    Json,
    /// The ids alone, one a line.
    Id,
}

/// How to ask.
#[derive(Debug, Clone, Args)]
pub(super) struct CallArgs {
    #[command(flatten)]
    pub(super) profile: ProfileArgs,
    /// For API clients alone: the user for whom the request is made; by default the one that was
    /// given at the login.
    #[arg(long, value_name = "USER_ID", global = true, help_heading = HEADING)]
    pub(super) acting_for: Option<UserId>,
    /// How to print the answer.
    #[arg(short, long, value_enum, default_value = "table", global = true, help_heading = HEADING)]
    pub(super) output: View,
}

/// The name of a login: it becomes the name of a file.
fn profile(text: &str) -> Result<String, &'static str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(is_name);
    if fits && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 letters, digits, `-`, `_`, `.` or `@`, and not begin with `.`")
    }
}

#[cfg(test)]
mod tests {
    use super::profile;

    #[test]
    fn a_profile_names_a_file_in_its_folder_and_none_elsewhere() {
        for name in ["default", "olga@example.com", "a.b_c-D9"] {
            assert_eq!(profile(name).as_deref(), Ok(name));
        }
        for name in ["", ".", "..", ".hidden", "a/b", "../b", "a b", "ä", "a\0", &"a".repeat(65)] {
            assert!(profile(name).is_err(), "{name:?}");
        }
    }
}
