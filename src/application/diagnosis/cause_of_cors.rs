//! Why browsers may not use the bucket, by what was allowed instead.

use crate::application::diagnosis::evidence::{CorsDifference, Gathered};
use crate::application::diagnosis::fault::RefusedPreflight;
use crate::application::diagnosis::subject::Subject;
use crate::domain::cause::Cause;
use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::browser::cors_etag_not_exposed::CorsEtagNotExposed;
use crate::domain::cause::browser::cors_headers_missing::CorsHeadersMissing;
use crate::domain::cause::browser::cors_method_missing::CorsMethodMissing;
use crate::domain::cause::browser::cors_none::CorsNone;
use crate::domain::cause::browser::cors_origin_missing::CorsOriginMissing;
use crate::domain::cause::browser::cors_origin_port::CorsOriginPort;
use crate::domain::cause::browser::cors_origin_scheme::CorsOriginScheme;
use crate::domain::cause::browser::cors_origin_slash::CorsOriginSlash;
use crate::domain::origin::OriginPattern;

impl Subject<'_> {
    /// Why these preflights were refused.
    pub(super) fn of_cors(&self, refused: &[RefusedPreflight], gathered: &Gathered) -> Cause {
        let unique = |texts: &mut dyn Iterator<Item = String>| {
            let mut list: Vec<String> = Vec::new();
            for text in texts {
                if !list.contains(&text) {
                    list.push(text);
                }
            }
            list
        };
        let cors = RefusedCors {
            bucket: self.bucket(),
            is_at_store: self.is_at_store(),
            origins: unique(&mut refused.iter().map(|one| one.origin.to_string())),
            methods: unique(&mut refused.iter().map(|one| one.method.clone())),
        };
        let methods = self
            .policies
            .cors_methods(self.connection.settings.access)
            .len();
        let of_origin =
            |origin: &OriginPattern| refused.iter().filter(|one| one.origin == *origin).count();
        let whole = |origin: &OriginPattern| of_origin(origin) == methods;
        let looks = &gathered.looks.cors;
        let first = refused.first().map(|one| &one.origin);
        let look = looks.iter().find(|look| Some(&look.origin) == first);
        match look.map(|look| &look.difference) {
            Some(CorsDifference::NoHeaders) => return CorsHeadersMissing { cors }.into(),
            Some(CorsDifference::Slash(allowed)) => {
                return CorsOriginSlash {
                    cors,
                    allowed: allowed.clone(),
                }
                .into();
            }
            Some(CorsDifference::Scheme(allowed)) => {
                return CorsOriginScheme {
                    cors,
                    allowed: allowed.clone(),
                }
                .into();
            }
            Some(CorsDifference::Port(allowed)) => {
                return CorsOriginPort {
                    cors,
                    allowed: allowed.clone(),
                }
                .into();
            }
            None => {}
        }
        // Some methods of every origin concerned are allowed.
        if first.is_some_and(|origin| !whole(origin)) {
            return CorsMethodMissing { cors }.into();
        }
        match self.origins.iter().all(whole) {
            true => CorsNone { cors }.into(),
            false => CorsOriginMissing { cors }.into(),
        }
    }

    /// Uploads by browser may not read their ETag.
    pub(super) fn of_hidden_etag(&self, origins: &[OriginPattern]) -> Cause {
        CorsEtagNotExposed {
            cors: RefusedCors {
                bucket: self.bucket(),
                is_at_store: self.is_at_store(),
                origins: origins.iter().map(ToString::to_string).collect(),
                methods: vec!["PUT".to_owned()],
            },
        }
        .into()
    }
}
