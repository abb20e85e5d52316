//! What an application asks an owner for, as read from the address the browser came with. It is
//! checked once here, for the page and for the decision alike.

use url::Url;

use crate::simulator::cloud::consents::mode;
use crate::simulator::doors::query::text;
use crate::smartcar::permission;

const TEXT_LENGTH_MAX: usize = 4_096;

/// A request for an owner's consent.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) client_id: String,
    /// As it was sent; the code is bound to this text.
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    /// As it was sent.
    pub(super) scope: String,
    /// Each permission, and whether the owner cannot leave it out.
    pub(super) permissions: Vec<(&'static str, bool)>,
    /// Only cars of this maker.
    pub(super) make: Option<String>,
    /// Only one car.
    pub(super) single: bool,
    /// Only this car.
    pub(super) single_vin: Option<String>,
    /// `live`, `simulated` or `test`.
    pub(super) mode: &'static str,
    /// What the application calls the owner.
    pub(super) user: Option<String>,
    pub(super) back: Back,
}

/// The way back to the application.
#[derive(Debug, Clone)]
pub(super) struct Back {
    url: Url,
    state: Option<String>,
}

/// Why a request cannot be shown to an owner.
#[derive(Debug)]
pub(super) enum Unasked {
    /// There is nowhere to send the browser back to.
    Nowhere(&'static str),
    /// The application hears of it, at this address.
    Back(String),
}

impl Back {
    /// Reads the address and the state.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, Unasked> {
        let uri = text(pairs, "redirect_uri").unwrap_or_default();
        let url = Url::parse(&uri)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
            .filter(|_| uri.len() <= TEXT_LENGTH_MAX)
            .ok_or(Unasked::Nowhere("redirect_uri is missing or not valid"))?;
        Ok(Self { url, state: text(pairs, "state") })
    }

    /// The address to send the browser back to, with `state` as it came.
    pub(super) fn with(&self, answer: &[(&str, &str)]) -> String {
        let mut url = self.url.clone();
        let mut query = url.query_pairs_mut();
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        drop(query);
        url.into()
    }

    /// The application hears what is wrong with its request.
    pub(super) fn misconfigured(&self, why: &str) -> Unasked {
        Unasked::Back(self.with(&[
            ("error", "configuration_error"),
            ("error_description", why),
            ("status_code", "400"),
            ("error_message", why),
        ]))
    }
}

impl Asked {
    /// Reads and checks a request.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, Unasked> {
        let text = |name: &str| text(pairs, name);
        let back = Back::read(pairs)?;
        let asked = Self {
            client_id: text("client_id").unwrap_or_default(),
            redirect_uri: text("redirect_uri").unwrap_or_default(),
            state: text("state"),
            scope: text("scope").unwrap_or_default(),
            permissions: Vec::new(),
            make: text("make"),
            single: text("single_select").is_some_and(|value| value == "true"),
            single_vin: text("single_select_vin"),
            mode: "live",
            user: text("user"),
            back,
        };
        let checked = asked.check(text("response_type").as_deref()).and_then(|permissions| {
            let mode = mode(text("mode").as_deref()).ok_or("mode is not known")?;
            match text("approval_prompt").as_deref() {
                // Nobody is logged in here, so that owners always see the page.
                None | Some("" | "auto" | "force") => Ok((permissions, mode)),
                Some(_) => Err("approval_prompt must be auto or force"),
            }
        });
        match checked {
            Ok((permissions, mode)) => Ok(Self { permissions, mode, ..asked }),
            Err(why) => Err(asked.back.misconfigured(why)),
        }
    }

    fn check(
        &self,
        response_type: Option<&str>,
    ) -> Result<Vec<(&'static str, bool)>, &'static str> {
        if response_type != Some("code") {
            return Err("response_type must be code");
        }
        if self.client_id.is_empty() || self.client_id.len() > TEXT_LENGTH_MAX {
            return Err("client_id is missing or not valid");
        }
        let is_long =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > TEXT_LENGTH_MAX);
        if is_long(&self.state) || is_long(&self.user) {
            return Err("state or user is too long");
        }
        let mut permissions: Vec<(&'static str, bool)> = Vec::new();
        for (name, required) in permission::parse_scope(&self.scope) {
            let name = permission::find(name).ok_or("scope names an unknown permission")?;
            if permissions.iter().all(|(known, _)| *known != name) {
                permissions.push((name, required));
            }
        }
        match permissions.is_empty() {
            true => Err("scope must name at least one permission"),
            false => Ok(permissions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::doors::query::pairs;

    fn read(query: &str) -> Result<Asked, Unasked> {
        Asked::read(&pairs(query.as_bytes()))
    }

    #[test]
    fn a_request_is_read_with_its_required_permissions() {
        let asked = read(
            "response_type=code&client_id=c&redirect_uri=http%3A%2F%2Flocalhost%2Fcb%3Fa%3Db\
             &scope=required%3Aread_security%20control_security%20read_security&state=s%26t",
        )
        .unwrap();
        assert_eq!(asked.permissions, [("read_security", true), ("control_security", false)]);
        assert_eq!(asked.back.with(&[("code", "1")]), "http://localhost/cb?a=b&code=1&state=s%26t");
    }

    #[test]
    fn the_application_hears_of_its_mistakes_if_there_is_a_way_back() {
        let tail = "&redirect_uri=http%3A%2F%2Flocalhost%2Fcb";
        for query in [
            "response_type=token&client_id=c&scope=read_vin",
            "response_type=code&scope=read_vin",
            "response_type=code&client_id=c&scope=",
            "response_type=code&client_id=c&scope=fly",
            "response_type=code&client_id=c&scope=read_vin&mode=real",
            "response_type=code&client_id=c&scope=read_vin&approval_prompt=never",
        ] {
            let refused = read(&format!("{query}{tail}"));
            assert!(
                matches!(&refused, Err(Unasked::Back(url)) if url.contains("configuration_error")),
                "{query}: {refused:?}"
            );
        }
        for uri in ["", "&redirect_uri=javascript:alert(1)", "&redirect_uri=/relative"] {
            let refused = read(&format!("response_type=code&client_id=c&scope=read_vin{uri}"));
            assert!(matches!(refused, Err(Unasked::Nowhere(_))), "{uri}");
        }
    }
}
