//! The scheduler's ticks: until the database has answered a worker that asks for a check.

use super::{Outcome, Service};
use std::time::Duration;

/// The ticks of all workers, as the service's own histogram has them.
#[derive(Default)]
pub struct Ticks {
    count: f64,
    seconds: f64,
    /// How many took so many seconds at most.
    at_most: Vec<(f64, f64)>,
}

/// What a tick took.
pub struct Tick {
    pub mean: Duration,
    pub p99: Duration,
}

impl Ticks {
    /// Reads them.
    pub async fn so_far(service: &Service) -> Outcome<Self> {
        let answer = service.client.get(format!("{}/metrics", service.url));
        let text = answer.send().await?.text().await?;
        let mut ticks = Self::default();
        for line in text.lines() {
            let of = line.strip_prefix("sallyport_job_claim_duration_seconds_");
            let Some((name, value)) = of.and_then(|rest| rest.rsplit_once(' ')) else {
                continue;
            };
            if !name.contains("kind=\"check\"") {
                continue;
            }
            let value: f64 = value.parse()?;
            if name.starts_with("count{") {
                ticks.count = value;
            } else if name.starts_with("sum{") {
                ticks.seconds = value;
            } else if let Some((_, bound)) = name.split_once("le=\"")
                && let Some((bound, _)) = bound.split_once('"')
                && let Ok(bound) = bound.parse::<f64>()
                && bound.is_finite()
            {
                ticks.at_most.push((bound, value));
            }
        }
        Ok(ticks)
    }

    /// What came after those of `before`. The percentile is between the bounds of the histogram, in proportion.
    pub fn since(&self, before: &Self) -> Tick {
        let count = self.count - before.count;
        let mean = (self.seconds - before.seconds) / count.max(1.0);
        let wanted = count * 0.99;
        let (mut low, mut below) = (0.0, 0.0);
        let mut p99 = self.at_most.last().map_or(0.0, |(bound, _)| *bound);
        for (at, (bound, number)) in self.at_most.iter().enumerate() {
            let number = number - before.at_most.get(at).map_or(0.0, |(_, number)| *number);
            if number >= wanted {
                let share = (wanted - below) / (number - below).max(1.0);
                p99 = low + (bound - low) * share;
                break;
            }
            (low, below) = (*bound, number);
        }
        Tick {
            mean: Duration::from_secs_f64(mean.max(0.0)),
            p99: Duration::from_secs_f64(p99.max(0.0)),
        }
    }
}
