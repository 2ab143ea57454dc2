//! A check report, as the API gives it.

use crate::it::support::app::Answer;
use serde_json::Value;

/// The names of a report's steps, in order.
pub const STEPS: [&str; 10] = [
    "assume_role",
    "refuses_missing_external_id",
    "refuses_wrong_external_id",
    "get_bucket_location",
    "bucket_owner",
    "list_bucket",
    "get_object",
    "put_object",
    "delete_object",
    "cors",
];

/// A check report.
#[derive(Debug)]
pub struct Report(pub Value);

impl Report {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let body = answer.expect(200);
        let steps = body["steps"].as_array().unwrap();
        let names: Vec<_> = steps.iter().map(|s| s["name"].as_str().unwrap()).collect();
        assert_eq!(names, STEPS);
        for step in steps {
            let complete = match step["status"].as_str().unwrap() {
                "passed" => step["problem"].is_null() && step["skipped_because"].is_null(),
                "skipped" => step["skipped_because"].is_string() && step["problem"].is_null(),
                "failed" | "warning" => {
                    let problem = &step["problem"];
                    let said = |field: &str| !problem[field].as_str().unwrap().is_empty();
                    ["code", "title", "explanation", "remedy"]
                        .into_iter()
                        .all(said)
                }
                other => panic!("{other}"),
            };
            assert!(complete, "{step}");
        }
        Self(body)
    }

    #[track_caller]
    pub fn step(&self, name: &str) -> &Value {
        let at = STEPS.iter().position(|step| *step == name).unwrap();
        &self.0["steps"][at]
    }

    #[track_caller]
    pub fn status(&self, name: &str) -> &str {
        self.step(name)["status"].as_str().unwrap()
    }

    pub fn code(&self, name: &str) -> Option<&str> {
        self.step(name)["problem"]["code"].as_str()
    }

    pub fn with_status(&self, status: &str) -> Vec<&str> {
        let steps = STEPS.into_iter();
        steps.filter(|name| self.status(name) == status).collect()
    }

    #[track_caller]
    pub fn passed(self) -> Self {
        assert_eq!(self.0["outcome"], "passed", "{:#}", self.0);
        self
    }

    /// It passed. A prefix that is still empty is a warning, and no fault.
    #[track_caller]
    pub fn works(self) -> Self {
        match self.code("get_object") {
            Some("nothing_below_prefix") => self.warned(&["get_object"]),
            Some(_) | None => self.passed(),
        }
    }

    /// It passed, and exactly these steps warn.
    #[track_caller]
    pub fn warned(self, steps: &[&str]) -> Self {
        assert_eq!(self.0["outcome"], "passed_with_warnings", "{:#}", self.0);
        assert_eq!(self.with_status("warning"), steps, "{:#}", self.0);
        self
    }

    /// Exactly these steps failed.
    #[track_caller]
    pub fn failed(self, steps: &[&str]) -> Self {
        assert_eq!(self.0["outcome"], "failed", "{:#}", self.0);
        assert_eq!(self.with_status("failed"), steps, "{:#}", self.0);
        self
    }

    /// The role was refused in the one way that says no more: nothing else was tried.
    #[track_caller]
    pub fn role_refused(self) -> Self {
        let report = self.failed(&["assume_role"]);
        assert_eq!(report.code("assume_role"), Some("role_refused"));
        assert_eq!(report.with_status("skipped").len(), 9);
        report
    }
}
