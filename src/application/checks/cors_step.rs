//! The step that asks for CORS, as a browser would.

use crate::application::bucket::probe::{
    Answered, BucketProbe, Preflight, PreflightSent, Preflighted,
};
use crate::application::checks::recorder::{Seen, Timed};
use crate::application::checks::run::CheckRun;
use crate::application::diagnosis::fault::{RefusedPreflight, What};
use crate::domain::check::StepName;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::origin::OriginPattern;
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
                let sample = origin.sample();
                let sent = PreflightSent {
                    origin: &sample,
                    method,
                    with_headers: true,
                };
                let answer = self
                    .located(probe, |p| async move { p.preflight(key, sent).await })
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
            .filter(|preflight| matches!(&preflight.answer, Ok(answer) if !answer.value.is_allowed))
            .collect();
        let failed = cors.value.iter().find_map(|p| p.answer.as_ref().err());
        if let Some(first) = refused.first() {
            let what = What::CorsRefused(
                refused
                    .iter()
                    .map(|preflight| RefusedPreflight {
                        origin: preflight.origin.clone(),
                        method: preflight.method.clone(),
                    })
                    .collect(),
            );
            if let Ok(answer) = &first.answer {
                self.record
                    .fail_although_answered(step, &cors, answer, what);
            }
        } else if let Some(failure) = failed {
            let what = What::Failed {
                action: None,
                failure: failure.clone(),
            };
            self.record.fail(step, &cors, failure, what);
        } else if let Some((hidden, answer)) = self.hidden_etag(&cors.value) {
            let what = What::EtagNotExposed { origins: hidden };
            self.record.warn(step, &cors, Seen::answered(answer), what);
        } else if let Some(Ok(answer)) = cors.value.first().map(|p| &p.answer) {
            self.record.pass(step, &cors, answer);
        }
    }

    /// The origins whose pages may upload and may not read the ETag. S3 says in a preflight what it exposes (S3
    /// API reference, "OPTIONS object"); other stores need not.
    fn hidden_etag<'a>(
        &self,
        preflights: &'a [Preflight],
    ) -> Option<(Vec<OriginPattern>, &'a Answered<Preflighted>)> {
        if self.bucket.connection.endpoint().is_some() {
            return None;
        }
        let hidden: Vec<(&OriginPattern, &Answered<Preflighted>)> = preflights
            .iter()
            .filter(|preflight| preflight.method == "PUT")
            .filter_map(|preflight| Some((&preflight.origin, preflight.answer.as_ref().ok()?)))
            .filter(|(_, answer)| answer.value.is_allowed && !answer.value.exposes_etag)
            .collect();
        let (_, first) = hidden.first()?;
        Some((
            hidden.iter().map(|(origin, _)| (*origin).clone()).collect(),
            first,
        ))
    }
}
