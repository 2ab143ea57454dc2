//! `sallyport check`

use crate::cli::connection::{ConnectionOptions, Output};
use crate::cli::ending::{FAILED, PASSED};
use crate::cli::terminal::{json, printable, printable_lines, table};
use crate::domain::check::StepName;
use serde_json::Value;
use std::io::{self, Write};

/// Check a connection, straight to AWS: every step of the check, without a server and without a database.
///
/// Run it with the AWS credentials that Sallyport itself has: they assume the role, as the service would. With
/// `--auth access_key` the check uses AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment as the
/// connection's own key.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport check --bucket acme-data --prefix team/ --external-id 0b0b5d4c-6c5f-4f0e-9d1c-0d9f6d0c9a53 \\
      --role-arn arn:aws:iam::444455556666:role/sallyport-acme-data
  sallyport check --bucket acme-data --access read --external-id ... --role-arn ... --output json | jq .outcome
  AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... \\
      sallyport check --bucket acme-data --endpoint https://s3.example.com --region us-east-1

Exit status: 0 passed, also with warnings; 1 failed, or not checked; 2 wrong usage.")]
pub struct Arguments {
    #[command(flatten)]
    pub connection: ConnectionOptions,

    /// How many seconds to go on while a new role or permission may not have spread: 0 to 120
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=120))]
    pub wait: u64,

    /// How to print the report: table, or json as the API answers it
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Prints the report, and gives the exit status that it stands for. `report` is the API's.
pub fn print(report: &Value, output: Output, out: &mut impl Write) -> io::Result<u8> {
    match output {
        Output::Json => writeln!(out, "{}", json(report))?,
        Output::Table => out.write_all(readable(report).as_bytes())?,
    }
    out.flush()?;
    Ok(match text(report, "outcome") {
        "passed" | "passed_with_warnings" => PASSED,
        _ => FAILED,
    })
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// The report for people: a line for each step, then what is wrong and what to change.
pub fn readable(report: &Value) -> String {
    let steps = list(report, "steps");
    let rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    let mut page = table(&rows, &[2]);
    for step in steps.iter().filter(|step| step["problem"].is_object()) {
        page.push('\n');
        problem(step, &mut page);
    }
    page.push('\n');
    page.push_str(&ending(report, steps));
    page
}

fn row(step: &Value) -> Vec<String> {
    let (sign, word) = match text(step, "status") {
        "passed" => ("✓", "passed"),
        "warning" => ("!", "warning"),
        "skipped" => ("-", "skipped"),
        _ => ("✗", "failed"),
    };
    let (took, more) = match step["skipped_because"].as_str() {
        Some(because) => (String::new(), printable(because)),
        None => {
            let code = step["problem"]["code"].as_str().unwrap_or_default();
            let took = step["duration_ms"].as_u64().unwrap_or(0);
            (format!("{took} ms"), printable(code))
        }
    };
    vec![
        format!("{sign} {word}"),
        title(text(step, "name")),
        took,
        more,
    ]
}

/// What a step does, in the words of the pages.
fn title(name: &str) -> String {
    let known = StepName::ALL.iter().find(|step| step.as_str() == name);
    known.map_or_else(|| printable(name), |step| step.title().to_owned())
}

fn problem(step: &Value, page: &mut String) {
    let problem = &step["problem"];
    let mut line = |indent: usize, text: &str| {
        page.push_str(&format!("{:indent$}{text}\n", ""));
    };
    let word = match text(step, "status") {
        "warning" => "Warning",
        _ => "Failed",
    };
    line(
        0,
        &format!(
            "{word}: {}  [{}]",
            printable(text(problem, "title")),
            printable(text(problem, "code"))
        ),
    );
    line(2, &format!("Step: {}", title(text(step, "name"))));
    line(2, &printable(text(problem, "explanation")));
    if !text(problem, "remedy").is_empty() {
        line(
            2,
            &format!("What to change: {}", printable(text(problem, "remedy"))),
        );
    }
    for missing in list(problem, "missing") {
        let (action, resource) = (text(missing, "action"), text(missing, "resource"));
        line(
            2,
            &format!("Missing: {} on {}", printable(action), printable(resource)),
        );
    }
    let causes = list(problem, "causes");
    if !causes.is_empty() {
        line(2, "Possible causes, the most likely first:");
    }
    for cause in causes {
        line(
            4,
            &format!(
                "- {} ({})",
                printable(text(cause, "text")),
                printable(text(cause, "code"))
            ),
        );
        for (place, name) in [("Console", "console"), ("AWS CLI", "cli")] {
            if let Some(how) = cause["decide"][name].as_str() {
                line(6, &format!("{place}: {}", printable(how)));
            }
        }
    }
    for step in list(problem, "also_explains") {
        let name = step.as_str().unwrap_or_default();
        line(2, &format!("This explains too: {}", title(name)));
    }
    let evidence = list(problem, "evidence");
    for answer in evidence {
        let code = answer["error_code"].as_str().unwrap_or("no error code");
        let status = answer["http_status"]
            .as_u64()
            .map_or_else(|| "no status".to_owned(), |status| status.to_string());
        let request = answer["request_id"].as_str().unwrap_or("none");
        line(
            2,
            &format!(
                "AWS answered {}: {status} {}, request {}",
                printable(text(answer, "operation")),
                printable(code),
                printable(request)
            ),
        );
    }
    patch(&problem["patch"], &mut line);
    if let Some(address) = problem["learn_more"].as_str() {
        line(2, &format!("More: {}", printable(address)));
    }
}

fn patch(patch: &Value, line: &mut impl FnMut(usize, &str)) {
    if !patch.is_object() {
        return;
    }
    let does = match text(patch, "operation") {
        "add_statement" => "add this statement",
        "replace" => "replace it by this",
        _ => "set this",
    };
    let target = printable(text(patch, "target")).replace('_', " ");
    line(2, &format!("Patch: {target}, {does}:"));
    for of_document in json(&patch["document"]).lines() {
        line(4, of_document);
    }
    if let Some(cli) = patch["cli"].as_str() {
        line(2, "With the AWS CLI:");
        for command in printable_lines(cli) {
            line(4, &command);
        }
    }
    if let Some(console) = patch["console"].as_str() {
        line(2, &format!("In the console: {}", printable(console)));
    }
}

fn ending(report: &Value, steps: &[Value]) -> String {
    let count = |status: &str| {
        steps
            .iter()
            .filter(|step| text(step, "status") == status)
            .count()
    };
    let made = steps.len() - count("skipped");
    let mut end = match text(report, "outcome") {
        "passed" => format!("Passed: {made} of {made} checks."),
        "passed_with_warnings" => format!(
            "Passed with {}: {made} checks, none failed.",
            counted(count("warning"), "warning")
        ),
        _ => format!("Failed: {} of {made} checks failed.", count("failed")),
    };
    if let Some(region) = report["region"].as_str() {
        end.push_str(&format!(" The bucket is in {}.", printable(region)));
    }
    end.push('\n');
    end
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(outcome: &str, step: &Value) -> Value {
        json!({"outcome": outcome, "region": "eu-west-1", "steps": [
            {"name": "assume_role", "status": "passed", "duration_ms": 12},
            step,
            {"name": "cors", "status": "skipped", "duration_ms": 0, "skipped_because": "No origin."},
        ]})
    }

    #[test]
    fn a_report_says_what_is_wrong_why_and_what_to_change() {
        let failed = json!({"name": "list_bucket", "status": "failed", "duration_ms": 3, "problem": {
            "code": "permission_missing", "title": "It \u{1b}[31m is missing", "explanation": "Because.",
            "remedy": "Add it.", "causes": [{"code": "a", "text": "Either.", "decide": {"cli": "aws x"}}],
            "missing": [{"action": "s3:ListBucket", "resource": "arn:aws:s3:::b"}],
            "evidence": [{"operation": "ListObjectsV2", "http_status": 403, "error_code": "AccessDenied", "request_id": "R"}],
            "patch": {"target": "role_permission_policy", "operation": "add_statement", "document": {"Effect": "Allow"}, "cli": "one\ntwo"},
        }});
        let mut out = Vec::new();
        let status = print(&report("failed", &failed), Output::Table, &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert_eq!(status, FAILED);
        for part in [
            "✓ passed   Assume the role with your external ID    12 ms\n",
            "✗ failed",
            "permission_missing",
            "What to change: Add it.",
            "- Either. (a)",
            "AWS CLI: aws x",
            "Missing: s3:ListBucket on arn:aws:s3:::b",
            "403 AccessDenied, request R",
            "Patch: role permission policy, add this statement:",
            "\"Effect\": \"Allow\"",
            "    one\n    two\n",
            "- skipped",
            "Failed: 1 of 2 checks failed. The bucket is in eu-west-1.",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains('\u{1b}'), "{page}");
    }

    #[test]
    fn warnings_pass_and_are_said() {
        let warned = json!({"name": "get_bucket_location", "status": "warning", "duration_ms": 3, "problem": {
            "code": "x", "title": "T", "explanation": "E", "remedy": "R"}});
        let mut out = Vec::new();
        let warned = report("passed_with_warnings", &warned);
        let status = print(&warned, Output::Table, &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert_eq!(status, PASSED);
        assert!(page.contains("Passed with 1 warning:"), "{page}");
        assert!(page.contains("Warning: T  [x]"), "{page}");
        let mut out = Vec::new();
        print(&warned, Output::Json, &mut out).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), warned);
    }
}
