//! The step that asks for CORS, as a browser would.

use crate::application::bucket::probe::{BucketProbe, Preflight};
use crate::application::checks::recorder::Timed;
use crate::application::checks::run::{CheckRun, located};
use crate::domain::check::StepName;
use crate::domain::files::object_key::ObjectKey;
use futures_util::future::join_all;
use std::sync::Arc;

impl CheckRun<'_> {
    /// One preflight for each origin and method, all at the same time. None where the step is skipped.
    pub async fn cors(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: Option<&ObjectKey>,
    ) -> Timed<Vec<Preflight>> {
        let has_origins = !self.origins.is_empty();
        let is_skipped = StepName::Cors
            .asked()
            .skipped(&self.bucket.connection, has_origins)
            .is_some();
        let key = key.filter(|_| !is_skipped);
        let methods = self
            .policies
            .cors_methods(self.bucket.connection.settings.access);
        let pairs = self
            .origins
            .iter()
            .flat_map(|origin| methods.iter().map(move |method| (origin, method)));
        let asked = pairs.filter_map(|(origin, method)| {
            let key = key?;
            Some(async move {
                let answer = located(
                    probe,
                    |p| async move { p.preflight(key, origin, method).await },
                )
                .await;
                Preflight {
                    origin: origin.clone(),
                    method: method.clone(),
                    answer,
                }
            })
        });
        self.record.time(join_all(asked)).await
    }

    pub fn cors_step(&self, cors: Timed<Vec<Preflight>>) {
        let step = StepName::Cors;
        if !self.is_made(step) {
            return;
        }
        let refused: Vec<&Preflight> = cors
            .value
            .iter()
            .filter(|preflight| matches!(&preflight.answer, Ok(answer) if !answer.value))
            .collect();
        let failed = cors.value.iter().find_map(|p| p.answer.as_ref().err());
        if let Some(first) = refused.first() {
            let why = self.explain.cors_refused(&refused);
            if let Ok(answer) = &first.answer {
                self.record.fail_although_answered(step, &cors, answer, why);
            }
        } else if let Some(failure) = failed {
            let why = self.explain.bucket_failed(failure);
            self.record.fail(step, &cors, failure, why);
        } else if let Some(Ok(answer)) = cors.value.first().map(|p| &p.answer) {
            self.record.pass(step, &cors, answer);
        }
    }
}
