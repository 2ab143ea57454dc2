//! Ten thousand keys in one call, and imports of more, on the emulator.
//!
//! Most of the keys are missing: making as many objects would take the emulator minutes. That all of so
//! many are found is tested on a bucket in memory.

use crate::it::projects::{Setting, path, strings};
use futures_util::{StreamExt, stream};
use serde_json::json;

#[tokio::test]
async fn ten_thousand_keys_at_once_and_more_in_the_background() {
    const COUNT: usize = 10_000;
    const PRESENT: usize = 300;
    let setting = Setting::new().await;
    let key = |n: usize| format!("/many/{}/{n:05}.txt", n % 2);
    let (s3, bucket) = (setting.storage.customer.s3(), &setting.storage.bucket);
    stream::iter(0..PRESENT)
        .for_each_concurrent(32, |n| {
            let object = setting.storage.object_key(&key(n));
            let put = s3.put_object().bucket(bucket).key(object).send();
            async move { drop(put.await.unwrap()) }
        })
        .await;
    let keys: Vec<String> = (0..COUNT).map(key).collect();
    let files: Vec<_> = keys.iter().map(|key| json!({"file_key": key})).collect();
    let refused = setting.create(json!({"files": files})).await;
    let refused = refused.problem(422, "missing_files");
    assert_eq!(refused["missing_files"], json!(keys[PRESENT..]));
    let body = json!({"files": files, "on_missing": "skip"});
    let project = setting.create(body).await.expect(201);
    assert_eq!(project["file_count"], PRESENT);
    assert_eq!(project["skipped_count"], COUNT - PRESENT);
    let sign = format!("{}/files/sign", path(&project));
    let signed = setting.post(&sign, &json!({"keys": keys[..PRESENT]})).await;
    assert_eq!(strings(&signed.expect(200)["urls"], "key"), keys[..PRESENT]);

    // One key too many for a request.
    let lines = format!("{}\n/absent\n", keys.join("\n"));
    setting.storage.put("/list.txt", lines).await;
    let body = json!({"manifest_file_key": "/list.txt", "on_missing": "skip"});
    let skipping = setting.create(body).await.expect(202);
    assert_eq!(skipping["status"], "importing");
    let nothing = json!({"done": 0, "total": COUNT + 1});
    assert_eq!(skipping["progress"], nothing);
    let body = json!({"manifest_file_key": "/list.txt"});
    let failing = setting.create(body).await.expect(202);
    let ready = setting.ended(&skipping).await;
    assert_eq!(ready["status"], "ready", "{ready}");
    assert_eq!(ready["file_count"], PRESENT);
    assert_eq!(ready["skipped_count"], COUNT + 1 - PRESENT);
    let all = json!({"done": COUNT + 1, "total": COUNT + 1});
    assert_eq!(ready["progress"], all);
    assert_eq!(setting.keys(&ready).await, keys[..PRESENT]);
    let failed = setting.ended(&failing).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["file_count"], 0);
    assert_eq!(failed["failure"]["code"], "missing_files");
    let detail = failed["failure"]["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("`{}`", keys[PRESENT])), "{detail}");
    assert!(setting.keys(&failed).await.is_empty());
}
