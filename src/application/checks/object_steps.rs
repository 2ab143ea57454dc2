//! The steps that read, write and delete a file.

use crate::application::bucket::probe::BucketProbe;
use crate::application::bucket::read::ListedObject;
use crate::application::checks::run::CheckRun;
use crate::domain::aws_failure::FailureKind;
use crate::domain::check::StepName;
use crate::domain::files::object_key::ObjectKey;
use futures_util::future::join;
use std::sync::Arc;

/// Storage classes whose objects must be restored before they can be read.
const ARCHIVED: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

impl CheckRun<'_> {
    pub async fn object_steps(
        &self,
        probe: &Arc<dyn BucketProbe>,
        objects: Option<Vec<ListedObject>>,
        probe_key: Option<ObjectKey>,
    ) {
        use StepName::{DeleteObject, PutObject};
        let writes = self.bucket.connection.settings.access.writes();
        let (Some(probe_key), Some(absent)) = (probe_key, self.absent_key()) else {
            self.record
                .skip_rest("The bucket prefix leaves no room for a probe object's key.");
            return;
        };
        let put = async {
            match writes {
                true => Some(self.record.time(probe.put(&probe_key)).await),
                false => None,
            }
        };
        let (_, put) = join(self.read_step(probe, objects, &absent), put).await;
        let are_made = [PutObject, DeleteObject].map(|step| self.is_made(step));
        let (Some(put), [true, true]) = (put, are_made) else {
            return;
        };
        match &put.value {
            Ok(answer) => self.record.pass(PutObject, &put, answer),
            Err(failure) => {
                let why = self.explain.denied_or_failed("s3:PutObject", failure);
                self.record.fail(PutObject, &put, failure, why);
            }
        }
        // Whatever became of the put: the object may be there, and the permission is needed anyway. S3
        // answers the deletion of an absent object like any other.
        let delete = self.record.time(probe.delete(&probe_key)).await;
        match &delete.value {
            Ok(answer) => self.record.pass(DeleteObject, &delete, answer),
            Err(failure) => {
                let left = put.value.is_ok().then_some(&probe_key);
                let why = self.explain.not_deleted(failure, left);
                self.record.fail(DeleteObject, &delete, failure, why);
            }
        }
    }

    async fn read_step(
        &self,
        probe: &Arc<dyn BucketProbe>,
        objects: Option<Vec<ListedObject>>,
        absent: &ObjectKey,
    ) {
        let step = StepName::GetObject;
        let Some(objects) = objects else {
            self.record.skip(
                step,
                "Without the listing, a refusal to read looks the same as a file that does not exist.",
            );
            return;
        };
        let readable = objects.iter().find(|object| {
            let class = object.storage_class.as_deref().unwrap_or_default();
            object.size > 0 && !ARCHIVED.contains(&class)
        });
        let answer = match readable {
            Some(object) => self.record.time(probe.read_listed(&object.key)).await,
            None => self.record.time(probe.read_absent(absent)).await,
        };
        match &answer.value {
            Ok(read) => self.record.pass(step, &answer, read),
            // With ListBucket, S3 says 404 of an absent key only to those who may read it; and it looks
            // at range and archive only after the permission.
            Err(failure)
                if matches!(
                    failure.kind,
                    FailureKind::NoSuchKey | FailureKind::InvalidRange | FailureKind::Archived
                ) =>
            {
                self.record.pass_by_refusal(step, &answer, failure);
            }
            Err(failure) => {
                let why = self.explain.denied_or_failed("s3:GetObject", failure);
                self.record.fail(step, &answer, failure, why);
            }
        }
    }
}
