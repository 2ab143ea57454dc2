//! The service's own credentials: fetched once for everybody who waits, and renewed before they end.
//!
//! The SDK's own cache keeps 64 providers and is meant for a handful. Each session is a provider of its
//! own, so with many storages that cache loses the service's credentials too. Here they have a place of
//! their own, and clients have no other cache.

use crate::aws::client::credential_files::CredentialFiles;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider};
use aws_smithy_types::error::display::DisplayErrorContext;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// Credentials are renewed when this much of their life is left, while they are still used. Of a short
/// life, half is left.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// Nobody is given credentials that end sooner than this.
const UNUSABLE_BEFORE: Duration = Duration::from_secs(10);
/// How long credentials that name no end are used before they are fetched again. As in the SDK's cache.
const WITHOUT_END: Duration = Duration::from_secs(15 * 60);
/// How long a provider may take. A container's or instance's answers at once, a process within seconds.
const LOAD_TIMEOUT: Duration = Duration::from_secs(20);
/// The wait after a renewal that failed.
const RETRY: Duration = Duration::from_secs(10);
/// Credentials that AWS refused are fetched again if they are at least this old, or if a file has changed since.
const TRUSTED: Duration = Duration::from_secs(10);
/// Calls that are refused within so long after credentials were given up were mostly signed with those.
const OVERLAP: Duration = Duration::from_secs(5);

/// Gives the credentials of another provider, and asks it as seldom as possible.
#[derive(Debug, Clone)]
pub struct OwnCredentials(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    provider: SharedCredentialsProvider,
    kept: RwLock<Option<Kept>>,
    /// When the last ones were given up because AWS refused them. Written while `kept` is held.
    given_up_at: RwLock<Option<Instant>>,
    /// Whoever holds it loads; the last failure is for those who waited for it.
    loading: Mutex<Option<LoadFailure>>,
    renewing: AtomicBool,
}

#[derive(Debug, Clone)]
struct Kept {
    credentials: Credentials,
    loaded_at: Instant,
    /// Looked at before they were loaded.
    files: CredentialFiles,
    renew_at: SystemTime,
    /// `None`: they do not end.
    unusable_at: Option<SystemTime>,
}

#[derive(Debug)]
struct LoadFailure {
    at: Instant,
    why: String,
}

impl Kept {
    fn new(credentials: Credentials, files: CredentialFiles) -> Self {
        let now = SystemTime::now();
        let ends_at = credentials.expiry();
        let renew_at = match ends_at {
            None => now + WITHOUT_END,
            Some(end) => {
                let left = end.duration_since(now).unwrap_or_default();
                now + left.saturating_sub(RENEW_BEFORE.min(left / 2))
            }
        };
        Self {
            credentials,
            loaded_at: Instant::now(),
            files,
            renew_at,
            unusable_at: ends_at.map(|end| {
                let left = end.duration_since(now).unwrap_or_default();
                now + left.saturating_sub(UNUSABLE_BEFORE.min(left / 4))
            }),
        }
    }

    fn is_usable(&self) -> bool {
        self.unusable_at.is_none_or(|end| SystemTime::now() < end)
    }
}

impl OwnCredentials {
    pub fn new(provider: SharedCredentialsProvider) -> Self {
        Self(Arc::new(Shared {
            provider,
            kept: RwLock::default(),
            given_up_at: RwLock::default(),
            loading: Mutex::default(),
            renewing: AtomicBool::default(),
        }))
    }

    /// AWS refused these credentials: they are fetched again, unless that was just done. `true`: a further
    /// call has others. So it is for each of the calls that were under way together.
    pub fn suspect(&self) -> bool {
        let files = CredentialFiles::now();
        let mut kept = self.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        let old = kept
            .as_ref()
            .is_some_and(|kept| kept.loaded_at.elapsed() >= TRUSTED || kept.files != files);
        let given_up_at = &self.0.given_up_at;
        let mut given_up_at = given_up_at.write().unwrap_or_else(PoisonError::into_inner);
        if old {
            *kept = None;
            *given_up_at = Some(Instant::now());
        }
        // Another call may have been refused first, for the same credentials.
        given_up_at.is_some_and(|at| at.elapsed() < OVERLAP)
    }

    async fn get(&self) -> Result {
        if let Some(kept) = self.0.usable() {
            if SystemTime::now() >= kept.renew_at {
                self.renew_in_background();
            }
            return Ok(kept.credentials);
        }
        let since = Instant::now();
        let mut loading = self.0.loading.lock().await;
        if let Some(kept) = self.0.usable() {
            return Ok(kept.credentials);
        }
        if let Some(failure) = &*loading
            && failure.at >= since
        {
            return Err(CredentialsError::provider_error(failure.why.clone()));
        }
        let loaded = self.0.load().await;
        *loading = loaded.as_ref().err().map(|error| LoadFailure {
            at: Instant::now(),
            why: DisplayErrorContext(error).to_string(),
        });
        loaded
    }

    fn renew_in_background(&self) {
        // Without a runtime nothing can be spawned; whoever needs the credentials loads them then.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if self.0.renewing.swap(true, Ordering::AcqRel) {
            return;
        }
        let renewal = Renewal(self.0.clone());
        runtime.spawn(async move {
            if let Err(error) = renewal.0.load().await {
                tracing::warn!(
                    error = %DisplayErrorContext(&error),
                    "cannot renew the service's own AWS credentials; the present ones are used while they last"
                );
                renewal.0.put_off();
            }
        });
    }
}

/// A renewal under way; ended by whatever ends its task.
struct Renewal(Arc<Shared>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.renewing.store(false, Ordering::Release);
    }
}

impl Shared {
    fn usable(&self) -> Option<Kept> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.is_usable()).cloned()
    }

    async fn load(&self) -> Result {
        let files = CredentialFiles::now();
        let loading = self.provider.provide_credentials();
        let credentials = match tokio::time::timeout(LOAD_TIMEOUT, loading).await {
            Ok(loaded) => loaded?,
            Err(_) => return Err(CredentialsError::provider_timed_out(LOAD_TIMEOUT)),
        };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Kept::new(credentials.clone(), files));
        Ok(credentials)
    }

    /// The next renewal is tried later.
    fn put_off(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &mut *kept {
            kept.renew_at = SystemTime::now() + RETRY;
        }
    }
}

impl ProvideCredentials for OwnCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::sync::atomic::AtomicUsize;

    /// Counts how often it is asked. Its credentials live for so long.
    #[derive(Debug)]
    struct Counting {
        asked: Arc<AtomicUsize>,
        life: Option<Duration>,
        fails: Arc<AtomicBool>,
    }

    impl ProvideCredentials for Counting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                self.asked.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                if self.fails.load(Ordering::SeqCst) {
                    return Err(CredentialsError::provider_error("away"));
                }
                let end = self.life.map(|life| SystemTime::now() + life);
                Ok(Credentials::new("AKIATEST", "secret", None, end, "test"))
            })
        }
    }

    fn counting(life: Option<Duration>) -> (OwnCredentials, Arc<AtomicUsize>, Arc<AtomicBool>) {
        let (asked, fails) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let provider = Counting {
            asked: asked.clone(),
            life,
            fails: fails.clone(),
        };
        let own = OwnCredentials::new(SharedCredentialsProvider::new(provider));
        (own, asked, fails)
    }

    #[tokio::test]
    async fn everybody_who_waits_gets_one_answer() {
        let (own, asked, _) = counting(None);
        for answer in join_all((0..50).map(|_| own.get())).await {
            answer.unwrap();
        }
        own.get().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        // They are a moment old: fetching them again would give the same.
        assert!(!own.suspect());
    }

    #[tokio::test]
    async fn calls_that_are_refused_together_are_all_made_again() {
        let (own, asked, _) = counting(None);
        own.get().await.unwrap();
        let long_ago = Instant::now().checked_sub(TRUSTED).unwrap();
        own.0.kept.write().unwrap().as_mut().unwrap().loaded_at = long_ago;
        assert!(own.suspect());
        // The others were signed with the same ones, whether there are new ones by now or not.
        assert!(own.suspect());
        own.get().await.unwrap();
        assert!(own.suspect());
        // Nothing is fetched once more for that.
        own.get().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_failure_is_one_for_everybody_who_waits_and_not_kept() {
        let (own, asked, fails) = counting(None);
        fails.store(true, Ordering::SeqCst);
        for answer in join_all((0..50).map(|_| own.get())).await {
            answer.unwrap_err();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        fails.store(false, Ordering::SeqCst);
        own.get().await.unwrap();
    }

    #[tokio::test]
    async fn credentials_are_renewed_while_they_are_still_good() {
        let (own, asked, fails) = counting(Some(Duration::from_secs(4)));
        own.get().await.unwrap();
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        // The provider is away, and nobody feels it yet.
        fails.store(true, Ordering::SeqCst);
        own.get().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        // Not asked again at once after the failure.
        own.get().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
