//! `/v1/workspaces/{workspace_id}/usage`

use crate::application::error::{Error, Result};
use crate::application::people::usage::UsageReport;
use crate::domain::Invalid;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::usage::{UsageDay, Used};
use crate::http::caller::OperatorCaller;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::get;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(get_workspace_usage);
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UsageQuery {
    /// The first day, in UTC. Without it: 29 days before the last.
    #[param(example = "2026-11-01", max_length = 40)]
    from: Option<String>,
    /// The last day, which is included. Without it: today. From the first to the last are at most 366 days.
    #[param(example = "2026-11-30", max_length = 40)]
    to: Option<String>,
}

/// What a workspace used.
#[derive(Serialize, ToSchema)]
struct WorkspaceUsage {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    workspace_id: String,
    #[schema(example = "2026-11-01")]
    from: String,
    #[schema(example = "2026-11-30")]
    to: String,
    /// By day, in their order. Days without any use are left out.
    usage: Vec<DayUsageBody>,
    total: UsageCounts,
}

/// What was used on a day.
#[derive(Serialize, ToSchema)]
#[schema(as = DayUsage)]
struct DayUsageBody {
    /// In UTC.
    #[schema(example = "2026-11-27")]
    day: String,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// How much was used.
#[derive(Serialize, ToSchema)]
struct UsageCounts {
    /// To the API and to pages, also those that were refused once it was known whose they are.
    requests: u64,
    /// Of requests' bodies.
    bytes_in: u64,
    /// Of responses' bodies, as they were sent. What is read by signed URL does not pass through the service.
    bytes_out: u64,
    /// Signed URLs that were given out.
    urls_signed: u64,
    /// Connection checks, also those that the service makes by itself.
    checks: u64,
}

impl From<Used> for UsageCounts {
    fn from(used: Used) -> Self {
        Self {
            requests: used.requests,
            bytes_in: used.bytes_in,
            bytes_out: used.bytes_out,
            urls_signed: used.urls_signed,
            checks: used.checks,
        }
    }
}

impl WorkspaceUsage {
    fn of(workspace: &WorkspaceId, report: UsageReport) -> Self {
        Self {
            workspace_id: workspace.to_string(),
            from: report.from.text(),
            to: report.to.text(),
            usage: report
                .days
                .into_iter()
                .map(|of_day| DayUsageBody {
                    day: of_day.day.text(),
                    counts: of_day.used.into(),
                })
                .collect(),
            total: report.total.into(),
        }
    }
}

/// A day, or the day that a time is on.
fn day(field: &str, text: Option<&str>) -> Result<Option<UsageDay>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let time = match text.len() {
        10 => OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339),
        _ => OffsetDateTime::parse(text, &Rfc3339),
    };
    match time {
        Ok(time) => Ok(Some(UsageDay::of(time))),
        Err(_) => Err(Error::field(
            field,
            Invalid::new("invalid_time", "A day is written like `2030-12-31`."),
        )),
    }
}

/// Read what a workspace uses
///
/// Counted in memory and written down each minute by every replica: what other replicas have counted in the last minute
/// is missing, and a process that is killed loses as much.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID"), UsageQuery),
    responses((status = 200, description = "What it used, by day", body = WorkspaceUsage)),
)]
#[get("/v1/workspaces/{workspace_id}/usage")]
async fn get_workspace_usage(
    _: OperatorCaller,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    query: Query<UsageQuery>,
) -> Result<Json<WorkspaceUsage>> {
    let from = day("from", query.0.from.as_deref())?;
    let to = day("to", query.0.to.as_deref())?;
    let usage = &services.people.usage;
    let report = usage.read(&workspace.0, from, to).await?;
    Ok(Json(WorkspaceUsage::of(&workspace.0, report)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_date_or_that_of_a_time() {
        let read = |text| day("from", Some(text)).map(|day| day.unwrap().text());
        assert_eq!(read("2026-11-27").unwrap(), "2026-11-27");
        assert_eq!(read("2026-11-27T01:00:00+02:00").unwrap(), "2026-11-26");
        for bad in ["", "2026-11", "2026-02-30", "27.11.2026", "yesterday!"] {
            assert_eq!(read(bad).unwrap_err().fields[0].field, "from", "{bad}");
        }
        assert!(day("from", None).unwrap().is_none());
    }
}
