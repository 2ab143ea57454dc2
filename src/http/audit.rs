//! Writes the audit log, around every route, so no handler can forget it.
//!
//! Written are: whatever came of a request that may change something, every refusal of a caller (401, 403) for any
//! request, and that a product's key or the operator looked at a workspace. The action is what the route was registered with: for the API the
//! operation's ID in the OpenAPI document. A handler notes more in the request's [`Trail`].

use crate::application::people::audit::TOUCH_EVERY;
use crate::http::client_addr::ClientAddr;
use crate::http::context::{AuditedAs, AuditedTarget, NothingChanged, RequestId, SeenCaller};
use crate::http::face::Actions;
use crate::http::problem::Problem;
use crate::http::routes::Routes;
use crate::http::state::Services;
use crate::http::trail::{About, Trail};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;

/// How many refusals of callers without a token are written. It is a sample: strangers must not fill the
/// database, neither by a flood nor by asking for years, and one address's flood must not hide what others
/// do. Further ones are in the log and counted.
pub struct AnonymousLimit {
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    together: DefaultDirectRateLimiter,
}

impl AnonymousLimit {
    /// More addresses than this are not remembered. Each takes less than 100 bytes.
    const MOST_ADDRESSES: usize = 50_000;

    fn allows(&self, address: ClientAddr) -> bool {
        if self.by_address.len() > Self::MOST_ADDRESSES {
            // Those that have not called lately count as new.
            self.by_address.retain_recent();
        }
        self.by_address.check_key(&address.for_limits()).is_ok() && self.together.check().is_ok()
    }
}

impl Default for AnonymousLimit {
    fn default() -> Self {
        const OF_ONE: NonZeroU32 = NonZeroU32::new(6).unwrap();
        const OF_ONE_AT_ONCE: NonZeroU32 = NonZeroU32::new(20).unwrap();
        const PER_HOUR: NonZeroU32 = NonZeroU32::new(60).unwrap();
        const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();
        Self {
            by_address: RateLimiter::keyed(Quota::per_hour(OF_ONE).allow_burst(OF_ONE_AT_ONCE)),
            together: RateLimiter::direct(Quota::per_hour(PER_HOUR).allow_burst(AT_ONCE)),
        }
    }
}

pub async fn audit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (Some(services), Some(routes), Some(anonymous)) = (
        request.app_data::<web::Data<Services>>().cloned(),
        request.app_data::<web::Data<Routes>>().cloned(),
        request.app_data::<web::Data<AnonymousLimit>>().cloned(),
    ) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let address = request
        .extensions()
        .get::<ClientAddr>()
        .copied()
        .unwrap_or(ClientAddr(None));
    let about = {
        let path = request.match_info().as_str();
        routes.audited(request.method(), path).map(|audited| About {
            action: audited.action.to_owned(),
            effect: audited.effect,
            parameters: match audited.actions {
                Actions::ByOperation => routes.parameters(path),
                // IDs only: a link's secret is part of its path.
                Actions::ByAddress => {
                    let mut all = routes.parameters(path);
                    all.retain(|(name, _)| name.ends_with("_id"));
                    all
                }
            },
            remote_addr: address.0.map(|address| address.to_string()),
            request_id: request
                .extensions()
                .get::<RequestId>()
                .map(|id| id.0.clone()),
        })
    };
    let Some(about) = about else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let caller = request.extensions().get::<SeenCaller>().cloned();
    let trail = Trail::new(services.clone(), about, caller.unwrap_or_default());
    request.extensions_mut().insert(trail.clone());

    let result = {
        let work = next.call(request);
        tokio::pin!(work);
        loop {
            tokio::select! {
                result = &mut work => break result,
                () = tokio::time::sleep(TOUCH_EVERY) => trail.touch().await,
            }
        }
    };

    let (status, problem, created) = match &result {
        Ok(response) => (
            response.status(),
            response.response().error().map(Problem::of),
            created(response),
        ),
        Err(error) => {
            let problem = Problem::of(error);
            (problem.status, Some(problem), None)
        }
    };
    let unchanged = result.as_ref().is_ok_and(|response| {
        response
            .response()
            .extensions()
            .contains::<NothingChanged>()
    });
    let action = result.as_ref().ok().and_then(|response| {
        let extensions = response.response().extensions();
        extensions.get::<AuditedAs>().map(|done| done.0)
    });
    if let Some(action) = action {
        trail.was(action);
    }
    let is_written =
        !unchanged && (trail.is_written(status) || trail.is_look_to_write(status).await);
    if !is_written {
        trail.discard().await;
    } else if trail.caller().is_none() && !anonymous.allows(address) {
        services.running.metrics.audit_dropped();
    } else {
        trail.record(status, problem.as_ref(), created).await;
    }
    Ok(result?.map_into_boxed_body())
}

/// The ID of what was made: the end of `Location`. A page's redirect may lead anywhere, also to an
/// address with a secret in it; of those only what is an ID is taken.
fn created(response: &ServiceResponse<impl MessageBody>) -> Option<String> {
    if let Some(target) = response.response().extensions().get::<AuditedTarget>() {
        return Some(target.0.clone());
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let end = location.split('?').next()?.rsplit('/').next()?;
    (response.status() == StatusCode::CREATED || is_id(end)).then(|| end.to_owned())
}

/// Whether it looks like one of our IDs: `set_` and 32 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(kind, digits)| {
        kind.len() == 3 && digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn strangers_cannot_fill_the_log() {
        let limit = AnonymousLimit::default();
        let of = |address: u32| ClientAddr(Some(IpAddr::V4(Ipv4Addr::from(address))));
        let written = (0..500).filter(|_| limit.allows(of(1))).count();
        assert_eq!(written, 20, "of one address");
        assert!(limit.allows(of(2)), "another one is still seen");
        let written = (3..5_000)
            .filter(|address| limit.allows(of(*address)))
            .count();
        assert!((170..=200).contains(&written), "of all together: {written}");
    }
}
