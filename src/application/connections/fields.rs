//! The fields of an input, read one after the other: every one that cannot be accepted is named.

use crate::application::connections::change::Change;
use crate::application::error::FieldError;
use crate::domain::Invalid;
use crate::domain::connection::pasted;
use crate::domain::connection::role_arn::RoleArn;

/// Where the files are, in the words of the three fields that say it.
pub struct Place {
    pub bucket: Change<String>,
    pub prefix: Change<String>,
    pub region: Change<String>,
}

/// Parses fields one after the other and collects what is wrong.
#[derive(Default)]
pub struct FieldParser {
    pub errors: Vec<FieldError>,
}

impl FieldParser {
    /// Bucket, prefix and Region, where one address may say all three. What the request gives by itself counts.
    pub fn place(
        &mut self,
        bucket: Change<String>,
        prefix: Change<String>,
        region: Change<String>,
    ) -> Place {
        // An empty Region is one to be found.
        let region = match region {
            Change::Set(text) if text.trim().is_empty() => Change::Clear,
            other => other,
        };
        let read = match &bucket {
            Change::Set(text) => pasted::bucket(text),
            Change::Keep | Change::Clear => None,
        };
        let pasted = match read {
            None => {
                return Place {
                    bucket,
                    prefix,
                    region,
                };
            }
            Some(Err(invalid)) => {
                self.refuse("bucket", invalid);
                return Place {
                    bucket: Change::Keep,
                    prefix,
                    region,
                };
            }
            Some(Ok(pasted)) => pasted,
        };
        let filled = |given: Change<String>, said: Option<String>| match (given, said) {
            (Change::Keep, Some(said)) => Change::Set(said),
            (given, _) => given,
        };
        Place {
            bucket: Change::Set(pasted.bucket.to_string()),
            prefix: filled(prefix, pasted.prefix.map(|prefix| prefix.to_string())),
            region: filled(region, pasted.region.map(|region| region.to_string())),
        }
    }

    /// The role's ARN, where the address of its page was given. A page that does not name the account is one of
    /// the account whose role is there already.
    pub fn role(&mut self, role: Change<String>, present: Option<&RoleArn>) -> Change<String> {
        let Change::Set(text) = &role else {
            return role;
        };
        match pasted::role_arn(text, present.map(RoleArn::account)) {
            None => role,
            Some(Ok(arn)) => Change::Set(arn),
            Some(Err(invalid)) => {
                self.refuse("role_arn", invalid);
                Change::Keep
            }
        }
    }

    pub fn refuse(&mut self, field: &str, invalid: Invalid) {
        self.errors.push(FieldError::new(field, invalid));
    }

    /// A field that may be empty.
    pub fn optional<T>(
        &mut self,
        field: &str,
        change: Change<String>,
        slot: &mut Option<T>,
        parse: impl Fn(&str) -> std::result::Result<T, Invalid>,
    ) {
        match change {
            Change::Keep => {}
            Change::Clear => *slot = None,
            Change::Set(text) => match parse(&text) {
                Ok(value) => *slot = Some(value),
                Err(invalid) => self.refuse(field, invalid),
            },
        }
    }

    /// A field that has a default.
    pub fn required<T: Default>(
        &mut self,
        field: &str,
        change: Change<String>,
        slot: &mut T,
        parse: impl Fn(&str) -> std::result::Result<T, Invalid>,
    ) {
        match change {
            Change::Keep => {}
            Change::Clear => *slot = T::default(),
            Change::Set(text) => match parse(&text) {
                Ok(value) => *slot = value,
                Err(invalid) => self.refuse(field, invalid),
            },
        }
    }

    /// A field whose every value is valid, and that has this value when it is cleared.
    pub fn plain<T>(&mut self, change: Change<T>, slot: &mut T, default: T) {
        match change {
            Change::Keep => {}
            Change::Clear => *slot = default,
            Change::Set(value) => *slot = value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::connections::input::ConnectionInput;

    #[test]
    fn an_address_fills_what_the_request_does_not_say() {
        const ADDRESS: &str =
            "https://s3.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&prefix=team/";
        let set = |text: &str| Change::Set(text.to_owned());
        for (prefix, region, filled) in [
            (Change::Keep, Change::Keep, ("team/", "eu-west-1")),
            (set("other/"), Change::Keep, ("other/", "eu-west-1")),
            (Change::Clear, set("eu-west-3"), ("", "eu-west-3")),
            (Change::Keep, set(""), ("team/", "")),
        ] {
            let mut parser = FieldParser::default();
            let place = parser.place(set(ADDRESS), prefix, region);
            assert!(parser.errors.is_empty());
            let text = |change: Change<String>| match change {
                Change::Set(text) => text,
                Change::Keep | Change::Clear => String::new(),
            };
            assert_eq!(text(place.bucket), "acme-data");
            assert_eq!(
                (text(place.prefix).as_str(), text(place.region).as_str()),
                filled
            );
        }
        // A form sends blank fields beside it.
        let form = ConnectionInput {
            bucket: set(ADDRESS),
            prefix: set(""),
            region: set(""),
            ..ConnectionInput::default()
        };
        let meant = form.meant();
        assert!(meant.prefix.is_keep() && meant.region.is_keep());
    }
}
