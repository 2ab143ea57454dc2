//! Waiting for the role, as the last step of the dialog and the administrator's page show it.

use crate::application::setups::SetupView;
use crate::domain::connection::Credentials;
use crate::http::pages::shell::moment::Moment;
use time::{Duration, OffsetDateTime};

/// After how long both causes of the same answer are shown.
const LONG: Duration = Duration::seconds(60);

/// What the page waits for.
pub struct WaitView {
    /// Where the page's script hears of the role.
    pub events: String,
    /// The page itself: what a browser without scripts loads again.
    pub page: String,
    pub role_arn: String,
    pub role_name: String,
    /// The account that the role is looked for in.
    pub account: String,
    /// What the trust policy must name.
    pub principal: String,
    pub external_id: String,
    pub tried: Option<Moment>,
    /// Whether the role has let the service in. A check finds out who else it lets in.
    pub has_appeared: bool,
    /// Whether it has been waited for so long that both causes are shown.
    pub is_long: bool,
}

impl WaitView {
    /// `None`: the role has been checked, is not known, or an access key is used. `base`: the address that the
    /// events are below.
    pub fn of(view: &SetupView, base: &str, page: String) -> Option<Self> {
        if view.check_is_current() {
            return None;
        }
        let Credentials::Role {
            role_arn,
            external_id,
        } = view.setup.connection().ok()?.connection.credentials
        else {
            return None;
        };
        let wait = view.present_wait();
        let since = wait.map(|wait| wait.since);
        Some(Self {
            events: format!("{base}/events"),
            page,
            role_name: role_arn.name().to_owned(),
            account: role_arn.account().to_string(),
            role_arn: role_arn.to_string(),
            principal: view.principal.arn().to_owned(),
            external_id: external_id.to_string(),
            tried: wait.and_then(|wait| wait.last_tried_at).map(Moment),
            has_appeared: wait.is_some_and(|wait| wait.appeared_at.is_some()),
            is_long: since.is_some_and(|since| OffsetDateTime::now_utc() - since >= LONG),
        })
    }

    /// The command that finds the role.
    pub fn find_role(&self) -> String {
        self.get_role("Role.Arn")
    }

    /// The command that shows who the role trusts.
    pub fn show_trust(&self) -> String {
        self.get_role("Role.AssumeRolePolicyDocument")
    }

    fn get_role(&self, what: &str) -> String {
        format!(
            "aws iam get-role --role-name {} --query {what}",
            self.role_name
        )
    }
}

#[cfg(test)]
impl WaitView {
    /// For samples.
    pub fn sample(text: &str) -> Self {
        Self {
            events: "/settings/setups/set_1/events".into(),
            page: "/settings/setups/set_1?step=check".into(),
            role_arn: text.into(),
            role_name: text.into(),
            account: "222222222222".into(),
            principal: "arn:aws:iam::111122223333:root".into(),
            external_id: "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
            tried: Some(Moment(OffsetDateTime::UNIX_EPOCH)),
            has_appeared: false,
            is_long: true,
        }
    }
}
