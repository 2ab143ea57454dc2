//! What a listener serves.

/// What is served at one listener. `/healthz` is served at every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// The API and the pages.
    pub product: bool,
    /// Readiness and metrics.
    pub management: bool,
    /// The API's description.
    pub documentation: bool,
}

impl Listener {
    /// Whether an address is served here.
    pub fn serves(self, pattern: &str) -> bool {
        match pattern {
            "/healthz" => true,
            "/readyz" | "/metrics" => self.management,
            "/docs" | "/openapi.json" => self.documentation,
            _ => self.product,
        }
    }
}
