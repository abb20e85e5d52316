//! `keylend login`: signs in with a password, with a claim link, or as an API client, and keeps
//! what comes of it for the commands after it.

use clap::Args;

use super::api::{ask_once, of_access_token, of_session};
use super::arguments::ProfileArgs;
use super::asked::{Asked, body, text};
use super::keeper::{Hidden, Keeper, Renewal};
use super::print;
use super::prompt;
use super::transport::Http;
use crate::cli::Failure;
use crate::config::PublicUrl;
use crate::domain::id::{OrganizationId, UserId};

pub(super) const EXAMPLE: &str =
    "Secrets are asked for at the terminal. With the flags that end in \
-stdin they are read from standard input, one a line: the claim link, its PIN, the password.

Example:
  keylend login --server https://keys.example.com --email ada@example.com
  keylend login --profile olga --claim";

/// Where and how to sign in.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("who").required(true))]
pub(in crate::cli) struct LoginArgs {
    #[command(flatten)]
    profile: ProfileArgs,
    /// Where the server is.
    #[arg(
        long,
        env = "KEYLEND_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: PublicUrl,
    /// Sign in although the server is on another machine and has an http:// address, so that
    /// anybody between can read passwords and tokens.
    #[arg(long)]
    insecure: bool,
    /// The e-mail address of the account.
    #[arg(long, group = "who")]
    email: Option<String>,
    /// The organization, if several know the address.
    #[arg(long, requires = "email")]
    organization_id: Option<OrganizationId>,
    /// Accept a claim link, and choose the password of the account; a new account has none. The
    /// link is asked for.
    #[arg(long, group = "who")]
    claim: bool,
    /// The claim link needs a PIN, which is asked for.
    #[arg(long, requires = "claim")]
    pin: bool,
    /// Let the app that made the account go on acting for it.
    #[arg(long, requires = "claim")]
    keep_client: bool,
    /// Read the password from standard input, and before it what else is asked for.
    #[arg(long, conflicts_with = "client_id")]
    password_stdin: bool,
    /// Sign in as this API client.
    #[arg(long, group = "who", value_name = "CLIENT_ID")]
    client_id: Option<String>,
    /// Read the secret of the API client from standard input.
    #[arg(long, requires = "client_id")]
    client_secret_stdin: bool,
    /// The user for whom the API client makes requests, if a request names nobody else.
    #[arg(long, requires = "client_id", value_name = "USER_ID")]
    acting_for: Option<UserId>,
}

/// Signs in.
///
/// # Errors
/// [`Failure`] if the server refuses, or the login cannot be kept.
pub(super) async fn run(args: LoginArgs) -> Result<(), Failure> {
    if args.server.is_in_clear() && !args.insecure {
        let said = format!(
            "{} is not encrypted, and passwords would be read by anybody between: \
             give an https:// address, or say --insecure",
            args.server.as_str()
        );
        return Err(Failure::Usage(said));
    }
    let keeper = Keeper::of(&args.profile)?;
    let http = Http::of(&args.server)?;
    let login = match &args.client_id {
        Some(client_id) => {
            let renewal = api_client(&args, client_id)?;
            let Renewal::ApiClient { client_id, client_secret, .. } = &renewal else {
                return Err(Failure::because("an API client has credentials of its own"));
            };
            let answer = ask_once(&http, &Asked::token(client_id, client_secret)).await?;
            of_access_token(&http, &answer, renewal)?
        }
        None => of_session(&http, &ask_once(&http, &session(&args)?).await?)?,
    };
    keeper.hold().await?.replace(&login)?;
    print::out(&format!("signed in at {} as profile {}\n", login.server, keeper.profile()))
}

fn api_client(args: &LoginArgs, client_id: &str) -> Result<Renewal, Failure> {
    let client_secret =
        prompt::secret("client secret", args.client_secret_stdin, "--client-secret-stdin")?;
    let (client_id, acting_for) = (client_id.to_owned(), args.acting_for);
    Ok(Renewal::ApiClient { client_id, client_secret, acting_for })
}

/// What asks for a session: with an address and its password, or with a claim.
fn session(args: &LoginArgs) -> Result<Asked, Failure> {
    let secret = |what: &str| prompt::secret(what, args.password_stdin, "--password-stdin");
    if !args.claim {
        let password = secret("password")?;
        let organization_id = args.organization_id.and_then(text);
        let members = [
            ("email", args.email.as_ref().and_then(text)),
            ("password", text(password.0)),
            ("organization_id", organization_id),
        ];
        return Ok(Asked::post("/v1/sessions", body(members)));
    }
    let claim = secret("claim link")?;
    let pin = if args.pin { Some(secret("PIN")?) } else { None };
    let password = secret("password (at least 15 characters)")?;
    let members = [
        ("claim_token", text(token_of(&claim))),
        ("pin", pin.and_then(|Hidden(pin)| text(pin))),
        ("password", text(password.0)),
        ("keep_client", args.keep_client.then_some(true.into())),
    ];
    Ok(Asked::post("/v1/claims/redeem", body(members)))
}

/// The secret of a claim link: its fragment, or the text if that is all there is.
fn token_of(claim: &Hidden) -> &str {
    let text = claim.0.trim();
    text.split_once('#').map_or(text, |(_, fragment)| fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_a_link_or_the_token_in_it() {
        for text in ["https://keys.example.com/c#kl_claim_x", "kl_claim_x", "  kl_claim_x "] {
            assert_eq!(token_of(&Hidden(text.to_owned())), "kl_claim_x");
        }
    }
}
