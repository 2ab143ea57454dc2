//! The ways to set up AWS: one question, and then one page for the way that was chosen.

use crate::application::error::Result;
use crate::domain::connection::access::Auth;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::policy_document::{
    DocumentName, DocumentParameters, Documents, LifecycleFolders,
};
use crate::domain::setup::Draft;
use crate::http::pages::setups::documents;
use crate::http::pages::setups::documents::{AccountsView, Console, DocumentView};

/// What is made for a setup, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// A role in AWS.
    Role,
    /// An IAM user in AWS, with an access key.
    User,
    /// An access key at an S3-compatible store.
    StoreKey,
}

impl Making {
    pub fn of(draft: &Draft) -> Self {
        let sign_in = &draft.sign_in;
        match (sign_in.by, sign_in.access_key.endpoint.is_some()) {
            (Auth::Role, _) => Self::Role,
            (Auth::AccessKey, false) => Self::User,
            (Auth::AccessKey, true) => Self::StoreKey,
        }
    }

    pub fn by_key(&self) -> bool {
        match self {
            Self::Role => false,
            Self::User | Self::StoreKey => true,
        }
    }

    pub fn at_store(&self) -> bool {
        match self {
            Self::Role | Self::User => false,
            Self::StoreKey => true,
        }
    }
}

/// How somebody makes it.
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

    /// The ways that there are for whoever administers AWS or the store, the best one first. `sends` adds the link
    /// to somebody else.
    pub fn offered(making: Making, sends: bool) -> Vec<Self> {
        let mut ways = match making {
            Making::Role => vec![
                Self::Cloudformation,
                Self::Cli,
                Self::Terraform,
                Self::Console,
            ],
            // The script alone makes the key as well.
            Making::User => vec![
                Self::Cli,
                Self::Cloudformation,
                Self::Terraform,
                Self::Console,
            ],
            // A store has no IAM.
            Making::StoreKey => vec![Self::Console],
        };
        if sends {
            ways.push(Self::Administrator);
        }
        ways
    }

    /// Whether it leaves the least to do.
    pub fn is_recommended(&self, making: &Making) -> bool {
        match making {
            Making::Role => *self == Self::Cloudformation,
            Making::User => *self == Self::Cli,
            Making::StoreKey => false,
        }
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

    pub fn title(&self, making: &Making) -> &'static str {
        match (self, making) {
            (Self::Cloudformation, _) => "CloudFormation",
            (Self::Cli, _) => "AWS CLI",
            (Self::Terraform, _) => "Terraform",
            (Self::Console, Making::Role | Making::User) => "AWS console, by hand",
            (Self::Console, Making::StoreKey) => "By hand, at the store",
            (Self::Administrator, _) => "Send to my administrator",
        }
    }

    pub fn about(&self, making: &Making) -> &'static str {
        match (self, making) {
            (Self::Cloudformation, Making::Role) => {
                "A stack that creates the role and its policy. You review it before anything is created."
            }
            (Self::Cloudformation, Making::User | Making::StoreKey) => {
                "A stack that creates the user and its policy. You make the access key afterwards."
            }
            (Self::Cli, Making::Role) => "One script for CloudShell or your terminal.",
            (Self::Cli, Making::User | Making::StoreKey) => {
                "One script for CloudShell or your terminal. It makes the user, its policy and the access key."
            }
            (Self::Terraform, Making::Role) => "A file for your own repository.",
            (Self::Terraform, Making::User | Making::StoreKey) => {
                "A file for your own repository, with the user and its policy. You make the access key afterwards."
            }
            (Self::Console, Making::Role | Making::User) => "Policies to paste, step by step.",
            (Self::Console, Making::StoreKey) => {
                "The policy and the bucket’s rules, to be applied as your store does it."
            }
            (Self::Administrator, Making::Role) => {
                "A link to a page for whoever manages AWS. It needs no account here and can only finish this setup."
            }
            (Self::Administrator, Making::User) => {
                "A link to a page for whoever manages AWS. It needs no account here and shows this setup alone."
            }
            (Self::Administrator, Making::StoreKey) => {
                "A link to a page for whoever manages the store. It needs no account here and shows this setup alone."
            }
        }
    }

    /// What the head of its page says.
    pub fn heading(&self, making: &Making) -> &'static str {
        match (self, making) {
            (Self::Cloudformation, Making::Role) => "Create the stack",
            (Self::Cloudformation, Making::User | Making::StoreKey) => {
                "Create the stack, then the access key"
            }
            (Self::Cli, _) => "Run the script",
            (Self::Terraform, Making::Role) => "Apply the configuration",
            (Self::Terraform, Making::User | Making::StoreKey) => {
                "Apply the configuration, then create the access key"
            }
            (Self::Console, Making::Role | Making::User) => "Set up AWS in the console",
            (Self::Console, Making::StoreKey) => "Set up the store by hand",
            (Self::Administrator, _) => "Send a setup link",
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
    /// The IAM user that the documents make for an access key.
    pub user_name: String,
    /// Where they make it, unless that is `/`.
    pub user_path: Option<String>,
    /// The managed policy that bounds the role or the user.
    pub boundary: Option<String>,
    pub console: Console,
    pub accounts: AccountsView,
    pub making: Making,
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
        making: Making,
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
            user_name: parameters.user_name().name,
            user_path: Some(parameters.user_name().path).filter(|path| path != "/"),
            boundary: parameters
                .permissions_boundary
                .as_ref()
                .map(ToString::to_string),
            console: Console::of(parameters.partition, Some(parameters.bucket.as_str())),
            accounts: AccountsView::of(parameters),
            making,
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

    pub fn by_key(&self) -> bool {
        self.making.by_key()
    }

    pub fn at_store(&self) -> bool {
        self.making.at_store()
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
            user_name: "sallyport-acme-data-0f8fad5b".into(),
            user_path: None,
            boundary: None,
            console: Console::of(
                crate::domain::connection::account::Partition::Aws,
                Some(bucket),
            ),
            accounts: AccountsView::default(),
            making: Making::Role,
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
    fn a_role_and_a_user_are_offered_every_way_and_a_store_what_applies_there() {
        let best = |making| Way::offered(making, true).first().copied();
        assert_eq!(Way::offered(Making::Role, true).len(), Way::ALL.len());
        assert_eq!(Way::offered(Making::User, true).len(), Way::ALL.len());
        assert_eq!(best(Making::Role), Some(Way::Cloudformation));
        // It alone makes the key as well.
        assert_eq!(best(Making::User), Some(Way::Cli));
        assert_eq!(
            Way::offered(Making::StoreKey, true),
            [Way::Console, Way::Administrator]
        );
        for making in [Making::Role, Making::User, Making::StoreKey] {
            let here = Way::offered(making, false);
            assert!(!here.contains(&Way::Administrator));
            let recommended = here.iter().filter(|way| way.is_recommended(&making));
            assert!(recommended.eq(here.first().filter(|_| !making.at_store())));
        }
        for way in Way::ALL {
            assert_eq!(Way::parse(Some(way.as_str())), Some(way));
        }
        assert_eq!(Way::parse(Some("nothing")), None);
    }
}
