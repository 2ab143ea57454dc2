//! The ways to set up AWS: one question, and then one page for the way that was chosen.

use crate::application::error::Result;
use crate::domain::connection::access::Auth;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::policy_document::{
    DocumentName, DocumentParameters, Documents, LifecycleFolders,
};
use crate::http::pages::setups::documents;
use crate::http::pages::setups::documents::{AccountsView, Console, DocumentView};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Cloudformation,
    Cli,
    Terraform,
    Console,
    /// Somebody else does it, with a link.
    Administrator,
}

impl Way {
    const ALL: [Self; 5] = [
        Self::Cloudformation,
        Self::Cli,
        Self::Terraform,
        Self::Console,
        Self::Administrator,
    ];

    pub fn parse(text: Option<&str>) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|way| Some(way.as_str()) == text)
    }

    /// The ways that there are for whoever administers AWS. `sends` adds the link to somebody else.
    pub fn offered(auth: Auth, sends: bool) -> Vec<Self> {
        let makes_user = |way: &Self| match (auth, way) {
            (Auth::Role, _) | (_, Self::Console | Self::Administrator) => true,
            // What these make has a role in it.
            (Auth::AccessKey, Self::Cloudformation | Self::Cli | Self::Terraform) => false,
        };
        let shown = |way: &Self| sends || *way != Self::Administrator;
        let mut ways = Self::ALL.to_vec();
        ways.retain(|way| makes_user(way) && shown(way));
        ways
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Cloudformation => "cloudformation",
            Self::Cli => "cli",
            Self::Terraform => "terraform",
            Self::Console => "console",
            Self::Administrator => "administrator",
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.as_str() == name
    }

    pub fn icon(&self) -> &'static str {
        match self {
            Self::Cloudformation => "layers",
            Self::Cli => "square-terminal",
            Self::Terraform => "blocks",
            Self::Console => "monitor",
            Self::Administrator => "send",
        }
    }

    pub fn title(&self) -> &'static str {
        match self {
            Self::Cloudformation => "CloudFormation",
            Self::Cli => "AWS CLI",
            Self::Terraform => "Terraform",
            Self::Console => "AWS console, by hand",
            Self::Administrator => "Send to my administrator",
        }
    }

    pub fn about(&self) -> &'static str {
        match self {
            Self::Cloudformation => {
                "A stack that creates the role and its policy. You review it before anything is created."
            }
            Self::Cli => "One script for CloudShell or your terminal.",
            Self::Terraform => "A file for your own repository.",
            Self::Console => "Policies to paste, step by step.",
            Self::Administrator => {
                "A link to a page for whoever manages AWS. It needs no account here and can only finish this setup."
            }
        }
    }

    /// What the head of its page says.
    pub fn heading(&self) -> &'static str {
        match self {
            Self::Cloudformation => "Create the stack",
            Self::Cli => "Run the script",
            Self::Terraform => "Apply the configuration",
            Self::Console => "Set up AWS in the console",
            Self::Administrator => "Send a setup link",
        }
    }
}

/// Everything that is shown of one setup for AWS: values to enter, documents, and where they are applied.
pub struct AwsView {
    pub bucket: String,
    pub prefix: String,
    /// The service's account, which the role trusts.
    pub account_id: String,
    /// What the trust policy names.
    pub principal: String,
    pub external_id: String,
    pub role_name: String,
    pub console: Console,
    pub accounts: AccountsView,
    pub by_key: bool,
    /// Whether the bucket needs CORS rules, and lifecycle rules.
    pub browsers: bool,
    pub lifecycle: bool,
    folders: LifecycleFolders,
    pub encrypted: bool,
    /// The link to the console's page that makes the stack. `None`: the operator has no place for the template.
    pub quick_create: Option<String>,
    /// Where all documents are in one file.
    pub base: String,
    documents: Vec<DocumentView>,
}

impl AwsView {
    /// `base` is the address that downloads are below.
    pub fn of(
        rendered: &(Documents, DocumentParameters),
        principal: &ServicePrincipal,
        auth: Auth,
        base: &str,
    ) -> Result<Self> {
        const SHOWN: [DocumentName; 12] = [
            DocumentName::PermissionPolicy,
            DocumentName::TrustPolicy,
            DocumentName::Cors,
            DocumentName::Lifecycle,
            DocumentName::Cli,
            DocumentName::Cloudformation,
            DocumentName::Terraform,
            DocumentName::BucketPolicy,
            DocumentName::CliBucket,
            DocumentName::CloudformationBucket,
            DocumentName::CliKey,
            DocumentName::KeyPolicy,
        ];
        let parameters = &rendered.1;
        Ok(Self {
            bucket: parameters.bucket.to_string(),
            prefix: parameters.prefix.to_string(),
            account_id: principal.account().to_string(),
            principal: principal.arn().to_owned(),
            external_id: parameters.external_id.to_string(),
            role_name: parameters.role_name().name,
            console: Console::of(parameters.partition, Some(parameters.bucket.as_str())),
            accounts: AccountsView::of(parameters),
            by_key: auth == Auth::AccessKey,
            browsers: !parameters.allowed_origins.is_empty(),
            lifecycle: parameters.lifecycle,
            folders: parameters.lifecycle_folders.clone(),
            quick_create: rendered.0.cloudformation_quick_create_url.clone(),
            encrypted: parameters.kms_key.is_some(),
            base: base.to_owned(),
            // What does not apply has no view.
            documents: documents::views(&SHOWN, rendered, base)?,
        })
    }

    /// The document of this name, where there is one.
    pub fn doc(&self, name: &str) -> Vec<&DocumentView> {
        let mut all = self.documents.iter();
        all.find(|doc| doc.name == name).into_iter().collect()
    }

    /// The documents for the accounts of the bucket and of the key, where they are not the role's.
    pub fn for_other_accounts(&self) -> Vec<&DocumentView> {
        const OTHERS: [&str; 4] = [
            "cli_bucket",
            "cloudformation_bucket",
            "cli_key",
            "key_policy",
        ];
        let others = self.documents.iter();
        others.filter(|doc| OTHERS.contains(&doc.name)).collect()
    }

    pub fn has_rules(&self) -> bool {
        self.browsers || self.lifecycle
    }

    /// The folders whose files S3 deletes, whole.
    pub fn expiring(&self) -> [String; 2] {
        self.folders
            .both()
            .map(|folder| format!("{}{folder}", self.prefix))
    }
}

#[cfg(test)]
impl AwsView {
    /// Without documents of the rendering: for samples.
    pub fn sample(bucket: &str, prefix: &str, documents: Vec<DocumentView>) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: prefix.into(),
            account_id: "111122223333".into(),
            principal: "arn:aws:iam::111122223333:root".into(),
            external_id: "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
            role_name: "sallyport-acme-data-0f8fad5b".into(),
            console: Console::of(
                crate::domain::connection::account::Partition::Aws,
                Some(bucket),
            ),
            accounts: AccountsView::default(),
            by_key: false,
            browsers: true,
            lifecycle: true,
            folders: LifecycleFolders::default(),
            quick_create: None,
            encrypted: false,
            base: "/settings/setups/set_1/documents".into(),
            documents,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_is_offered_nothing_that_makes_a_role() {
        assert_eq!(Way::offered(Auth::Role, true).len(), 5);
        let by_key = Way::offered(Auth::AccessKey, true);
        assert_eq!(by_key, [Way::Console, Way::Administrator]);
        assert!(!Way::offered(Auth::Role, false).contains(&Way::Administrator));
        for way in Way::ALL {
            assert_eq!(Way::parse(Some(way.as_str())), Some(way));
        }
        assert_eq!(Way::parse(Some("nothing")), None);
    }
}
