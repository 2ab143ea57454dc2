//! The two text formats of metrics.

use crate::application::error::{Error, Result};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFormat {
    OpenMetrics,
    /// Prometheus's own, version 0.0.4, which every tool reads.
    Classic,
}

impl MetricsFormat {
    /// What a client prefers by its `Accept`. OpenMetrics where it has no preference.
    pub fn preferred(accept: &str) -> Self {
        let weight = |wanted: &str| {
            accept
                .split(',')
                .filter_map(|range| {
                    let mut parts = range.split(';').map(str::trim);
                    let media_type = parts.next()?;
                    if !media_type.eq_ignore_ascii_case(wanted) {
                        return None;
                    }
                    let q = parts.find_map(|part| part.strip_prefix("q="));
                    Some(q.and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0))
                })
                .fold(0.0, f32::max)
        };
        match weight("text/plain") > weight("application/openmetrics-text") {
            true => Self::Classic,
            false => Self::OpenMetrics,
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    pub fn encode(self, registry: &Registry) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, registry).map_err(Error::bug)?;
        Ok(match self {
            Self::OpenMetrics => text,
            Self::Classic => classic(&text),
        })
    }
}

/// The classic form of an OpenMetrics text. A counter's family has the name of its samples there, and
/// units and the end are not marked.
fn classic(open_metrics: &str) -> String {
    let mut out = String::with_capacity(open_metrics.len());
    // A family's help comes before its type, which decides its name.
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(text) = line.strip_prefix("# HELP ") {
            help = text.split_once(' ');
        } else if let Some((name, of_type)) = line
            .strip_prefix("# TYPE ")
            .and_then(|text| text.split_once(' '))
        {
            let (suffix, of_type) = match of_type {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((_, text)) = help.take().filter(|(of, _)| *of == name) {
                out.push_str(&format!("# HELP {name}{suffix} {text}\n"));
            }
            out.push_str(&format!("# TYPE {name}{suffix} {of_type}\n"));
        } else if !line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_what_the_client_prefers() {
        use MetricsFormat::{Classic, OpenMetrics};
        for (accept, format) in [
            ("", OpenMetrics),
            ("*/*", OpenMetrics),
            ("text/plain", Classic),
            ("text/plain;version=0.0.4;q=0.3,*/*;q=0.2", Classic),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4",
                OpenMetrics,
            ),
            ("application/openmetrics-text;q=0.1, Text/Plain", Classic),
        ] {
            assert_eq!(MetricsFormat::preferred(accept), format, "{accept}");
        }
    }

    #[test]
    fn a_counter_s_family_has_its_samples_name() {
        let open = "# HELP a_b Things.\n# TYPE a_b counter\na_b_total{x=\"1\"} 3\n# HELP g Level.\n# TYPE g gauge\n# UNIT g seconds\ng 1\n# EOF\n";
        assert_eq!(
            classic(open),
            "# HELP a_b_total Things.\n# TYPE a_b_total counter\na_b_total{x=\"1\"} 3\n# HELP g Level.\n# TYPE g gauge\ng 1\n"
        );
    }
}
