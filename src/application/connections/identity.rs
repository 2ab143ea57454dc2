//! Who the service is at AWS, and what keeps it from being that.
//!
//! AWS is asked at the start, each minute, and after a call that may have failed because of the service's own side;
//! every few seconds while the identity is down. Everything that wants to know reads the last answer. Only while no
//! answer ever named the identity does a reader ask.

use crate::application::bucket::probe::Prober;
use crate::application::observe::Observer;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::identity_fault::IdentityFault;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

/// How often AWS is asked while all is well.
const INTERVAL: Duration = Duration::from_secs(60);
/// How often while the identity is down. With what it takes to fetch credentials it heals well within 10 s.
const WHILE_DOWN: Duration = Duration::from_secs(3);
/// The least time between two asks, however many calls fail.
const APART: Duration = Duration::from_secs(3);

/// The service's own identity, as AWS said last.
pub struct OwnIdentity {
    prober: Arc<dyn Prober>,
    observer: Arc<dyn Observer>,
    /// Notified after a call that may have failed because of the service's own side.
    doubts: Arc<Notify>,
    state: RwLock<State>,
    /// Held while AWS is asked.
    asking: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Stays known while the identity is down: an account does not change because its key is refused.
    known: Option<ServiceIdentity>,
    last: Option<Asked>,
}

/// The last answer.
struct Asked {
    began: Instant,
    /// `None`: AWS named the identity.
    failure: Option<(IdentityFault, AwsFailure)>,
}

/// How the service's own identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// AWS has not answered yet.
    NotAsked,
    Known,
    Down(IdentityFault),
}

impl OwnIdentity {
    /// `doubts` is notified by whoever makes calls to AWS, after one that may have failed because of the service's
    /// own side.
    pub fn new(prober: Arc<dyn Prober>, observer: Arc<dyn Observer>, doubts: Arc<Notify>) -> Self {
        Self {
            prober,
            observer,
            doubts,
            state: RwLock::default(),
            asking: Mutex::default(),
        }
    }

    /// Asks again and again until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.ask() => {}
            }
            let pause = match self.standing() {
                Standing::Known => INTERVAL,
                Standing::NotAsked | Standing::Down(_) => WHILE_DOWN,
            };
            let began = Instant::now();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                () = self.doubts.notified() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(APART.saturating_sub(began.elapsed())) => {}
            }
        }
    }

    /// Asks AWS now. Whoever waits for the same ask has its answer.
    pub async fn ask(&self) {
        self.ask_after(Instant::now()).await;
    }

    /// As AWS said last. Asks nothing.
    pub fn standing(&self) -> Standing {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match &state.last {
            None => Standing::NotAsked,
            Some(Asked { failure: None, .. }) => Standing::Known,
            Some(Asked {
                failure: Some((fault, _)),
                ..
            }) => Standing::Down(*fault),
        }
    }

    /// The same, after the first answer: waits for it where there is none yet.
    pub async fn first_standing(&self) -> Standing {
        if self.standing() == Standing::NotAsked {
            self.ask().await;
        }
        self.standing()
    }

    /// Whether AWS has said that the service's own side fails: calls to AWS would only fail.
    pub fn is_down(&self) -> bool {
        match self.standing() {
            Standing::Down(_) => true,
            Standing::NotAsked | Standing::Known => false,
        }
    }

    /// The identity that AWS named last. Asks while none was ever named.
    ///
    /// # Errors
    /// Why AWS did not name one.
    pub async fn get(&self) -> Result<ServiceIdentity, AwsFailure> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        self.ask().await;
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match (&state.known, &state.last) {
            (Some(known), _) => Ok(known.clone()),
            (
                None,
                Some(Asked {
                    failure: Some((_, failure)),
                    ..
                }),
            ) => Err(failure.clone()),
            // An answer without a failure names the identity.
            (None, Some(Asked { failure: None, .. }) | None) => Err(never_asked()),
        }
    }

    fn known(&self) -> Option<ServiceIdentity> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.known.clone()
    }

    /// Asks, unless somebody has begun to ask since then: whoever waited for that has its answer.
    async fn ask_after(&self, since: Instant) {
        let _one_at_a_time = self.asking.lock().await;
        let is_answered = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            let last = state.last.as_ref();
            last.is_some_and(|asked| asked.began >= since)
        };
        if is_answered {
            return;
        }
        let began = Instant::now();
        let answer = self.prober.identity().await;
        self.take(began, answer);
    }

    fn take(&self, began: Instant, answer: Result<ServiceIdentity, AwsFailure>) {
        let before = self.standing();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let failure = match answer {
            Ok(identity) => {
                state.known = Some(identity);
                None
            }
            // It says nothing about the identity, and what was known holds.
            Err(failure) if failure.kind == FailureKind::Throttled => match state.last.take() {
                Some(last) => last.failure,
                None => Some((IdentityFault::of(&failure), failure)),
            },
            Err(failure) => Some((IdentityFault::of(&failure), failure)),
        };
        let fault = failure.as_ref().map(|(fault, _)| *fault);
        self.observer.service_identity(fault);
        let now = match fault {
            Some(fault) => Standing::Down(fault),
            None => Standing::Known,
        };
        // Once for each change.
        if now != before {
            report(before, state.known.as_ref(), failure.as_ref());
        }
        state.last = Some(Asked { began, failure });
    }
}

/// AWS's own words go to the log alone: they may name what others must not see.
fn report(
    before: Standing,
    known: Option<&ServiceIdentity>,
    failure: Option<&(IdentityFault, AwsFailure)>,
) {
    if let Some((fault, failure)) = failure {
        tracing::warn!(
            code = fault.as_str(),
            cause = %failure,
            said = failure.message,
            aws_request_id = failure.request_id,
            "the service cannot use its own AWS identity: {}",
            fault.words()
        );
        return;
    }
    let account = known.map(|identity| tracing::field::display(&identity.account));
    match before {
        Standing::Down(was) => tracing::info!(
            account,
            was = was.as_str(),
            "the service can use its own AWS identity again"
        ),
        Standing::NotAsked | Standing::Known => {
            tracing::info!(account, "the service knows its own AWS identity");
        }
    }
}

fn never_asked() -> AwsFailure {
    AwsFailure {
        operation: "GetCallerIdentity",
        kind: FailureKind::InvalidResponse,
        http_status: None,
        error_code: None,
        request_id: None,
        denial: None,
        bucket_region: None,
        details: None,
        message: None,
    }
}
