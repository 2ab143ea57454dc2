//! The template that quick-create links name, put where the customers' consoles can read it.

use crate::domain::Invalid;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::policy_document::QuickCreateTemplate;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// After how long a template that could not be put is tried again.
const PAUSE: Duration = Duration::from_secs(60);

/// The bucket that templates are kept in.
#[async_trait]
pub trait TemplateShelf: Send + Sync {
    /// Puts a template there, and returns its address.
    async fn put(&self, key: &str, text: &str) -> Result<String, AwsFailure>;
}

/// The one generic template, and where it is once it has been put.
pub struct QuickCreate {
    shelf: Arc<dyn TemplateShelf>,
    template: QuickCreateTemplate,
    put: Mutex<Put>,
}

enum Put {
    NotYet,
    At(String),
    Failed(Instant),
}

impl QuickCreate {
    pub fn new(shelf: Arc<dyn TemplateShelf>) -> Result<Self, Invalid> {
        Ok(Self {
            shelf,
            template: QuickCreateTemplate::new()?,
            put: Mutex::new(Put::NotYet),
        })
    }

    /// The template's address. Whoever asks first puts it there. `None` while it cannot be put: why is in the
    /// log, and the documents have no link.
    pub async fn template_url(&self) -> Option<String> {
        let mut put = self.put.lock().await;
        match &*put {
            Put::At(url) => return Some(url.clone()),
            Put::Failed(at) if at.elapsed() < PAUSE => return None,
            Put::Failed(_) | Put::NotYet => {}
        }
        match self
            .shelf
            .put(&self.template.key, &self.template.text)
            .await
        {
            Ok(url) => {
                *put = Put::At(url.clone());
                Some(url)
            }
            Err(failure) => {
                tracing::warn!(
                    "the CloudFormation template cannot be put into the bucket of SALLYPORT_TEMPLATE_BUCKET, so documents have no quick-create link: {failure}: {:?}. The service's own AWS identity needs s3:PutObject below sallyport/cloudformation/ of it",
                    failure.message
                );
                *put = Put::Failed(Instant::now());
                None
            }
        }
    }
}
