//! Ten thousand files in one call, and imports of more, on the emulator.

use super::{Setting, path, strings};
use futures_util::{StreamExt, stream};
use serde_json::json;

#[tokio::test]
async fn ten_thousand_keys_at_once_and_more_in_the_background() {
    const COUNT: usize = 10_000;
    let setting = Setting::new().await;
    let key = |n: usize| format!("/many/{:02}/{n:05}.txt", n % 7);
    let (s3, bucket) = (setting.storage.customer.s3(), &setting.storage.bucket);
    stream::iter(0..COUNT)
        .for_each_concurrent(48, |n| {
            let object = setting.storage.object_key(&key(n));
            let put = s3.put_object().bucket(bucket).key(object).send();
            async move { drop(put.await.unwrap()) }
        })
        .await;
    let keys: Vec<String> = (0..COUNT).map(key).collect();
    let files: Vec<_> = keys.iter().map(|key| json!({"file_key": key})).collect();
    let project = setting.create(json!({"files": files})).await.expect(201);
    assert_eq!(project["file_count"], COUNT);
    let signed = setting
        .post(
            &format!("{}/files/sign", path(&project)),
            &json!({"keys": keys}),
        )
        .await
        .expect(200);
    assert_eq!(strings(&signed["urls"], "key"), keys);

    // One file too many for a request: the folder has `/cats` as well.
    let project = setting.create(json!({"folder": "/"})).await;
    let project = project.expect(202);
    assert_eq!(project["status"], "importing");
    assert_eq!(project["progress"], json!({"done": 0, "total": null}));
    let ready = setting.ended(&project).await;
    assert_eq!(ready["status"], "ready", "{ready}");
    let count = COUNT + super::FILES.len();
    assert_eq!(ready["file_count"], count);
    assert_eq!(ready["progress"], json!({"done": count, "total": count}));

    let mut lines = keys.join("\n");
    lines.push_str("\n/absent/1\n/absent/2\n");
    setting.storage.put("/list.txt", lines).await;
    let body = json!({"manifest_file_key": "/list.txt", "on_missing": "skip"});
    let skipping = setting.create(body).await.expect(202);
    let body = json!({"manifest_file_key": "/list.txt"});
    let failing = setting.create(body).await.expect(202);
    assert_eq!(failing["progress"], json!({"done": 0, "total": COUNT + 2}));
    let ready = setting.ended(&skipping).await;
    assert_eq!(ready["status"], "ready", "{ready}");
    assert_eq!(
        (ready["file_count"].clone(), ready["skipped_count"].clone()),
        (json!(COUNT), json!(2))
    );
    let failed = setting.ended(&failing).await;
    assert_eq!(
        (failed["status"].clone(), failed["file_count"].clone()),
        (json!("failed"), json!(0))
    );
    assert_eq!(failed["failure"]["code"], "missing_files");
    let detail = failed["failure"]["detail"].as_str().unwrap();
    assert!(detail.contains("`/absent/1`, `/absent/2`"), "{detail}");
    assert!(setting.keys(&failed).await.is_empty());
}
