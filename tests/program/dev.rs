//! `sallyport dev`, as far as it goes without Python. `tools/check-dev` starts the whole.

use crate::{program, text};

#[test]
fn where_python_is_missing_it_says_so_in_one_sentence() {
    let output = program(&["dev", "--python", "/nowhere/python3"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in ["Python 3.10", "/nowhere/python3", "apt-get install"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn the_routes_that_act_for_the_customer_are_offered_to_this_machine_only() {
    let output = program(&["dev-service", "--helper", "http://127.0.0.1:9/"])
        .env("SALLYPORT_LISTEN", "0.0.0.0:0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("SALLYPORT_LISTEN is 0.0.0.0:0"), "{said}");
}

#[test]
fn the_service_of_dev_is_no_command_of_its_own() {
    let help = text(&program(&["--help"]).output().unwrap().stdout);
    assert!(help.contains("\n  dev "), "{help}");
    assert!(!help.contains("dev-service"), "{help}");
    let manual = text(&program(&["man"]).output().unwrap().stdout);
    assert!(!manual.contains("dev-service") && !manual.contains("dev\\-service"));
}
