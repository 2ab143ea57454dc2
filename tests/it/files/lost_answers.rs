//! The end of an upload in parts over the API, where the store's answer to it is lost.

use crate::it::files::odd_stores::Place;
use crate::it::support::app::Answer;
use crate::it::support::aws::store::Behaviour;
use crate::it::support::aws::wire::Reply;
use crate::it::support::client::plain_client;
use serde_json::{Value, json};

/// Begins an upload, sends its two parts to the store, and gives what completes it.
async fn sent(place: &Place) -> Value {
    let begun = place.post("multipart", json!({"key": "/new.bin"})).await;
    let upload = begun.expect(200)["upload_id"].clone();
    let numbers = json!({"upload_id": upload, "part_numbers": [1, 2]});
    let signed = place.post("multipart/parts", numbers).await.expect(200);
    let mut parts = Vec::new();
    for url in signed["urls"].as_array().unwrap() {
        let put = plain_client().put(url["url"].as_str().unwrap());
        let answer = put.body("some bytes").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let etag = answer.headers()["etag"].to_str().unwrap();
        parts.push(json!({"part_number": url["part_number"], "etag": etag}));
    }
    json!({"upload_id": upload, "parts": parts})
}

async fn complete(place: &Place, upload: &Value) -> Answer {
    place.post("multipart/complete", upload.clone()).await
}

fn lost() -> Behaviour {
    Behaviour::LosesFirstAnswerTo("CompleteMultipartUpload", Reply::Reset)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_a_success_where_the_file_proves_it() {
    let place = Place::with([lost()]).await;
    let upload = sent(&place).await;
    let stored = complete(&place, &upload).await.expect(200);
    assert_eq!(stored["size"], 20);
    let etag = place.store.holdings().objects["new.bin"].etag.clone();
    assert_eq!(stored["etag"], etag.as_str());
    // A client that lost the service's answer asks again.
    assert_eq!(complete(&place, &upload).await.expect(200), stored);
    place.store.put("new.bin", "another");
    complete(&place, &upload)
        .await
        .problem(409, "upload_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_that_nothing_proves_is_said_to_be_one() {
    let place = Place::with([lost(), Behaviour::EtagsOfItsOwn]).await;
    let upload = sent(&place).await;
    let problem = complete(&place, &upload).await;
    let problem = problem.problem(502, "upload_outcome_unknown");
    let text = problem.to_string();
    assert!(text.contains("not known whether"), "{text}");
    assert!(!text.contains("Nothing was stored"), "{text}");
    assert!(place.store.holds("new.bin"));
}
