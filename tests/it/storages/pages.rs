//! A storage's page, as browsers without a script use it.

use crate::it::setups::pages::{Browser, location, shows};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;

#[tokio::test]
async fn a_storage_s_page_shows_changes_and_deletes_it() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let member = Browser::signed_in(&app, &workspace, "member").await;
    let path = format!("/settings/storages/{}", storage.id);

    shows(&admin.get(&path).await, 200, "Healthy");
    shows(
        &admin.get(&path).await,
        200,
        "The connection works, with a warning.",
    );
    shows(&admin.get(&path).await, 200, "CloudFormation template");
    let seen = member.get(&path).await;
    shows(&seen, 200, &storage.role_arn);
    assert!(!seen.text.contains("Check now") && !seen.text.contains("Delete"));
    for below in ["/settings", "/delete", "/checks"] {
        shows(
            &member.get(&format!("{path}{below}")).await,
            403,
            "admin_required",
        );
        shows(
            &member.post(&format!("{path}{below}"), &[]).await,
            403,
            "admin_required",
        );
    }

    let settings = format!("{path}/settings");
    let renamed = admin.post(&settings, &[("display_name", "Renamed")]).await;
    assert_eq!(location(&renamed), format!("{path}?done=storage_renamed"));
    // A browser sends every choice of what is granted. A new name alone changes none of them.
    let choices = [
        ("display_name", "Renamed again"),
        ("access", "read_write"),
        ("object_versions", "true"),
        ("object_acls", "true"),
        ("lifecycle", "true"),
    ];
    let renamed = admin.post(&settings, &choices).await;
    assert_eq!(location(&renamed), format!("{path}?done=storage_renamed"));
    // With another access, what the form showed is what is meant, and not what goes with that access.
    let mut read = choices;
    read[1] = ("access", "read");
    let changed = admin.post(&settings, &read).await;
    assert_eq!(location(&changed), format!("{path}?done=change_waits"));
    let form = admin.get(&settings).await;
    shows(
        &form,
        200,
        "name=\"object_versions\" value=\"true\" checked",
    );
    shows(&form, 200, "name=\"object_acls\" value=\"true\" checked");
    // The folders that S3 empties are named in full.
    shows(
        &form,
        200,
        "<code>team/temp/</code> and <code>team/export/</code>",
    );
    admin.post(&format!("{path}/pending/discard"), &[]).await;
    let renamed = admin.post(&settings, &[("display_name", "Renamed")]).await;
    assert_eq!(location(&renamed), format!("{path}?done=storage_renamed"));
    let bad = admin.post(&settings, &[("role_arn", "bad")]).await;
    shows(&bad, 422, "id=\"role_arn-error\"");
    let changed = admin.post(&settings, &[("access", "read")]).await;
    assert_eq!(location(&changed), format!("{path}?done=change_waits"));
    let waiting = admin.get(location(&changed)).await;
    shows(&waiting, 200, "A change waits for its check");
    shows(&waiting, 200, "Healthy");
    shows(&waiting, 200, "Documents for the change");
    let list = admin.get("/settings/storages").await;
    shows(&list, 200, "a change waits for its check");
    // The form goes on from there.
    let form = admin.get(&settings).await;
    shows(
        &form,
        200,
        "The fields show the change that waits for its check.",
    );
    shows(&form, 200, "name=\"access\" value=\"read\" checked");
    let seen = member.get(&path).await;
    assert!(!seen.text.contains("A change waits"), "{}", seen.text);
    let back = admin.post(&settings, &[("access", "read_write")]).await;
    assert_eq!(location(&back), format!("{path}?done=change_discarded"));
    admin.post(&settings, &[("access", "read")]).await;
    for below in ["/pending/check", "/pending/discard"] {
        let answer = member.post(&format!("{path}{below}"), &[]).await;
        shows(&answer, 403, "admin_required");
    }
    let file = format!("{path}/pending/documents/permission_policy");
    assert!(!admin.get(&file).await.text.contains("s3:PutObject"));
    let discarded = admin.post(&format!("{path}/pending/discard"), &[]).await;
    assert_eq!(
        location(&discarded),
        format!("{path}?done=change_discarded")
    );
    assert!(!admin.get(&path).await.text.contains("A change waits"));

    // One that does not work, and then one that does.
    let nobody = "arn:aws:iam::222222222222:role/nobody";
    admin.post(&settings, &[("role_arn", nobody)]).await;
    let check = format!("{path}/pending/check");
    let failed = admin.post(&check, &[]).await;
    assert_eq!(location(&failed), format!("{path}?done=change_failed"));
    let after = admin.get(location(&failed)).await;
    shows(&after, 200, "The storage goes on without it.");
    shows(&after, 200, "Its last check");
    shows(&after, 200, "What to change:");
    shows(&after, 200, "Healthy");
    let own = [("role_arn", storage.role_arn.as_str()), ("access", "read")];
    admin.post(&settings, &own).await;
    let used = admin.post(&check, &[]).await;
    assert_eq!(location(&used), format!("{path}?done=change_used"));
    let after = admin.get(location(&used)).await;
    shows(&after, 200, "the storage uses it now");
    assert!(!after.text.contains("A change waits"), "{}", after.text);
    let again = admin.post(&check, &[]).await;
    assert_eq!(location(&again), path);
    let history = admin.get(&format!("{path}/checks")).await;
    assert_eq!(
        history.text.matches("All steps").count(),
        2,
        "{}",
        history.text
    );
    // The older one is its setup's.
    shows(&history, 200, "before the storage was added");

    let built_in = admin.get("/settings/storages/built-in").await;
    shows(&built_in, 200, "Built-in storage");
    assert!(!built_in.text.contains("Edit storage"));
    let checked = admin.post("/settings/storages/built-in/checks", &[]).await;
    shows(&checked, 200, "Checked");
    shows(&checked, 200, "The connection works.");
    for below in ["/settings", "/delete"] {
        let path = format!("/settings/storages/built-in{below}");
        for answer in [admin.get(&path).await, admin.post(&path, &[]).await] {
            shows(&answer, 409, "built_in_storage");
        }
    }

    shows(&admin.get(&format!("{path}/delete")).await, 200, "Renamed");
    let deleted = admin.post(&format!("{path}/delete"), &[]).await;
    assert_eq!(
        location(&deleted),
        "/settings/storages?done=storage_deleted"
    );
    shows(&admin.get(&path).await, 404, "not_found");
}
