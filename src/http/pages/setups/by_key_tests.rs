//! The pages of setups with an access key, rendered with the real documents: no page speaks of roles, and each way
//! has its document.

use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::ids::SetupId;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{DocumentParameters, LifecycleFolders, PolicyTemplates};
use crate::domain::setup::Draft;
use crate::http::pages::setups::fields::ConnectionFields;
use crate::http::pages::setups::grants::GrantsView;
use crate::http::pages::setups::link_panel::LinkPanel;
use crate::http::pages::setups::report::ReportView;
use crate::http::pages::setups::step::DialogStep;
use crate::http::pages::setups::way::{AwsView, Making, Way};
use crate::http::pages::setups::{instructions, samples};
use askama::Template;
use std::collections::BTreeSet;

/// Which account is named, and whether the files are encrypted with a KMS key of another one.
type Variant = (Option<&'static str>, bool);

const VARIANTS: [Variant; 4] = [
    (None, false),
    (Some("444455556666"), false),
    (None, true),
    (Some("444455556666"), true),
];

fn aws(making: Making, (account, encrypted): Variant) -> AwsView {
    let service_principal = ServicePrincipal::parse("arn:aws:iam::111122223333:root").unwrap();
    let key = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let parameters = DocumentParameters {
        setup_id: Some(SetupId::parse("set_0190a0a0a0a070008000000000000001").unwrap()),
        auth: match making {
            Making::Role => Auth::Role,
            Making::User | Making::StoreKey => Auth::AccessKey,
        },
        at_store: making.at_store(),
        partition: Partition::Aws,
        service_principal: service_principal.clone(),
        external_id: ExternalId::from_record("0f8fad5b-d9cb-469f-a165-70867728950e").unwrap(),
        bucket: BucketName::parse("acme-data").unwrap(),
        prefix: BucketPrefix::parse("team/").unwrap(),
        grants: Grants::usual(Access::ReadWrite),
        lifecycle: true,
        lifecycle_folders: LifecycleFolders::default(),
        kms_key: encrypted.then(|| KmsKeyArn::parse(key).unwrap()),
        allowed_origins: vec![OriginPattern::parse("https://app.example.com").unwrap()],
        region: None,
        role_arn: None,
        role_exists: false,
        role_path: RolePath::default(),
        permissions_boundary: None,
        bucket_account: account.map(|account| AccountId::parse(account).unwrap()),
    };
    let documents = PolicyTemplates::load().unwrap();
    let documents = documents.documents(&parameters).unwrap();
    let rendered = (documents, parameters);
    AwsView::of(&rendered, &service_principal, making, "/documents").unwrap()
}

/// A page of the dialog's second step.
fn dialog(making: Making, variant: Variant, way: Option<Way>) -> String {
    dialog_at(DialogStep::Role, making, variant, way)
}

fn dialog_at(step: DialogStep, making: Making, variant: Variant, way: Option<Way>) -> String {
    let mut draft = Draft {
        bucket: BucketName::parse("acme-data").ok(),
        ..Draft::default()
    };
    draft.sign_in.by = Auth::AccessKey;
    let (bucket, report) = (Some("acme-data"), ReportView::waiting(false));
    let mut page = samples::page(step, bucket, "team/", report, way);
    page.outcome.has_role = false;
    page.fields = ConnectionFields::sample(&[("auth", Auth::AccessKey.as_str(), None)]);
    page.grants = GrantsView::of(&draft, None);
    page.ways = Way::offered(making, true);
    page.aws = Some(aws(making, variant));
    page.connect.role_arn = None;
    page.link = LinkPanel::default();
    page.render().unwrap()
}

fn administrator(making: Making, variant: Variant, way: Option<Way>) -> String {
    instructions::tests::page(Some(aws(making, variant)), false, None, way)
}

/// What somebody reads on a page: without its tags, and without code.
fn words(html: &str) -> String {
    let (mut words, mut code) = (String::new(), 0_u32);
    for piece in html.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        match tag.split_whitespace().next().unwrap_or_default() {
            "pre" | "code" => code += 1,
            "/pre" | "/code" => code -= 1,
            _ => {}
        }
        if code == 0 {
            words.push_str(text);
        }
    }
    words
}

#[track_caller]
fn speaks_of_no_role(html: &str) {
    let words = words(html);
    assert!(words.contains("acme-data") || words.contains("access key"));
    if let Some(at) = words.to_lowercase().find("role") {
        let around = words.char_indices().filter(|(i, _)| i.abs_diff(at) < 120);
        let around: String = around.map(|(_, c)| c).collect();
        panic!("a page for an access key speaks of a role: {around}");
    }
}

/// The documents that a way shows.
fn documents_of(way: Way) -> &'static [&'static str] {
    match way {
        Way::Cli => &["cli"],
        Way::Cloudformation => &["cloudformation", "cors", "lifecycle"],
        Way::Terraform => &["terraform"],
        Way::Console => &["permission_policy", "cors", "lifecycle"],
        Way::Administrator => &[],
    }
}

#[test]
fn what_is_read_leaves_out_tags_and_code() {
    let html = "<p role=\"status\">One <code>role</code> two</p><pre><mark>role</mark></pre>";
    assert_eq!(words(html), "One  two");
}

#[test]
fn no_way_for_an_access_key_speaks_of_roles_and_each_has_its_document() {
    for making in [Making::User, Making::StoreKey] {
        for variant in VARIANTS {
            speaks_of_no_role(&dialog(making, variant, None));
            speaks_of_no_role(&administrator(making, variant, None));
            for way in Way::offered(making, true) {
                let mut pages = vec![dialog(making, variant, Some(way))];
                if way != Way::Administrator {
                    pages.push(administrator(making, variant, Some(way)));
                }
                for html in pages {
                    speaks_of_no_role(&html);
                    assert!(html.contains(way.heading(&making)), "{html}");
                    for name in documents_of(way) {
                        assert!(
                            html.contains(&format!("id=\"doc-{name}\"")),
                            "{name}: {html}"
                        );
                        assert!(html.contains(&format!("href=\"/documents/{name}\"")));
                    }
                }
            }
        }
    }
}

#[test]
fn the_last_step_names_the_steps_of_an_access_key_and_asks_for_the_user_s_place() {
    for making in [Making::User, Making::StoreKey] {
        let html = dialog_at(DialogStep::Check, making, VARIANTS[0], None);
        speaks_of_no_role(&html);
        assert!(html.contains("id=\"step-list_bucket\""), "{html}");
        assert_eq!(html.matches("<li id=\"step-").count(), 7, "{html}");
        // A store has no IAM, and no user with a path.
        let has_place = html.contains("name=\"role_path\"");
        assert_eq!(has_place, making == Making::User, "{html}");
        assert_eq!(html.contains("User path"), has_place);
    }
}

#[test]
fn each_way_says_where_the_key_comes_from_and_where_it_goes() {
    let html = |way| dialog(Making::User, VARIANTS[0], Some(way));
    let command = "aws iam create-access-key --user-name <mark>sallyport-acme-data-0f8fad5b</mark>";
    for way in [Way::Cloudformation, Way::Terraform] {
        let html = html(way);
        assert!(html.contains(command), "{html}");
        assert!(html.contains("the secret would stand in"));
    }
    let script = html(Way::Cli);
    assert!(script.contains("one policy and one access key") && !script.contains(command));
    // The command does what the script does, and makes no role.
    assert!(script.contains("sallyport provision <mark>acme-data</mark>-documents.json"));
    assert!(script.contains("--setup-link") && !script.contains("--role-name"));
    let by_hand = html(Way::Console);
    assert!(by_hand.contains("iam/home#/users/create") && !by_hand.contains("roles/create"));
    for way in Way::offered(Making::User, true) {
        assert!(html(way).contains("in the last step, <em>Connect</em>"));
    }
    // A store has no console of AWS and no account.
    let at_store = dialog(Making::StoreKey, VARIANTS[3], Some(Way::Console));
    assert!(!at_store.contains("aws.amazon.com") && !at_store.contains("444455556666"));
    let question = dialog(Making::StoreKey, VARIANTS[0], None);
    assert!(question.contains("How do you want to set up the store?"));
    assert!(!question.contains("way=cli") && question.contains("way=console"));
}

#[test]
fn an_administrator_reads_what_the_script_needs_and_how_it_is_taken_back() {
    let html = administrator(Making::User, VARIANTS[0], Some(Way::Cli));
    for action in [
        "iam:GetUser",
        "iam:GetUserPolicy",
        "iam:ListAccessKeys",
        "iam:CreateUser",
        "iam:TagUser",
        "iam:PutUserPolicy",
        "iam:CreateAccessKey",
        "iam:PutUserPermissionsBoundary",
        "iam:DeleteAccessKey",
        "iam:DeleteUserPolicy",
        "iam:DeleteUser",
    ] {
        assert!(html.contains(&format!("<code>{action}</code>")), "{action}");
    }
    assert!(html.contains("<code>--undo</code>: it removes what it made"));
    assert!(html.contains("It deletes the access key that it made"));
    let at_store = administrator(Making::StoreKey, VARIANTS[0], Some(Way::Console));
    assert!(!at_store.contains("iam:") && !at_store.contains("--undo"));
    assert!(!at_store.contains("Choose another way"));
}

/// The IAM permissions that the calls of a script need, as its text has them.
fn iam_calls(script: &str) -> BTreeSet<String> {
    let verbs = ["get", "list", "create", "put", "delete", "update", "tag"];
    let words = script.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
    words
        .filter_map(|word| {
            let (verb, what) = word.split_once('-')?;
            let is_of_iam = what
                .split('-')
                .any(|part| ["role", "user", "key", "keys", "devices", "profile"].contains(&part));
            (verbs.contains(&verb) && is_of_iam).then(|| {
                let parts = word.split('-').map(|part| match part {
                    "mfa" => "MFA".to_owned(),
                    _ => part[..1].to_uppercase() + &part[1..],
                });
                format!("iam:{}", parts.collect::<String>())
            })
        })
        .collect()
}

/// An administrator with exactly the permissions that the page names can run the script, and take it back.
#[test]
fn an_administrator_reads_every_permission_that_the_script_needs() {
    for (making, least) in [(Making::Role, 10), (Making::User, 15)] {
        let view = aws(making, VARIANTS[0]);
        let script: String = view.doc("cli")[0]
            .parts
            .iter()
            .map(|part| part.text.as_str())
            .collect();
        let calls = iam_calls(&script);
        assert!(calls.len() >= least, "{calls:?}");
        let html = administrator(making, VARIANTS[0], Some(Way::Cli));
        for call in &calls {
            assert!(html.contains(&format!("<code>{call}</code>")), "{call}");
        }
        // A role or user that is made with a tag needs this too, and so does `head-bucket`.
        let tag = match making {
            Making::Role => "<code>iam:TagRole</code>",
            Making::User | Making::StoreKey => "<code>iam:TagUser</code>",
        };
        assert!(html.contains(tag) && html.contains("<code>s3:ListBucket</code>"));
    }
    let bucket_apart = administrator(Making::Role, VARIANTS[1], Some(Way::Cli));
    assert!(bucket_apart.contains("<code>s3:PutBucketPolicy</code>"));
}
