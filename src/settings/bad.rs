//! Settings that cannot be used.

use std::fmt;

/// A setting that cannot be used: its name, what is wrong, and one that could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    pub name: &'static str,
    pub why: String,
    pub example: &'static str,
}

/// Every setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadSettings(pub Vec<BadSetting>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, bad) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let flag = bad.name.trim_start_matches("SALLYPORT_").to_lowercase();
            write!(
                f,
                "{} (--{}): {} Example: {}",
                bad.name,
                flag.replace('_', "-"),
                bad.why,
                bad.example
            )?;
        }
        Ok(())
    }
}
