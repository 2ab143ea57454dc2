//! What Sallyport renders has neither an error nor a hole.

use crate::domain::doctor::examine;
use crate::domain::doctor::finding::{DocumentKind, Severity};
use crate::domain::doctor::{Pasted, recognise};
use crate::it::doctor::expected;
use crate::it::documents::rendering::{combinations, render, special};

#[test]
fn every_rendered_document_is_correct() {
    let mut all = combinations();
    all.push(("special".into(), special()));
    for (name, parameters) in all {
        let documents = render(&parameters);
        let expected = expected(&parameters);
        let given = [
            (
                DocumentKind::PermissionPolicy,
                Some(documents.permission_policy),
            ),
            (DocumentKind::TrustPolicy, documents.trust_policy),
            (DocumentKind::BucketPolicy, documents.bucket_policy),
            (DocumentKind::Cors, documents.cors),
        ];
        for (kind, value) in given {
            let value = value.unwrap();
            let file = crate::domain::policy_document::escape::json_file(&value).unwrap();
            assert_eq!(recognise::kind_of_text(&file), Some(kind), "{name}: {file}");
            let findings = examine(&[Pasted { kind, text: file }], &expected);
            let worst = findings.iter().map(|f| f.severity).max();
            assert!(worst < Some(Severity::Warning), "{name}: {findings:#?}");
        }
    }
}
