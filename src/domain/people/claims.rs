//! What a signed token says, and whether it may be believed. Its signature was verified before.

use serde_json::{Map, Value};
use std::time::Duration;
use time::OffsetDateTime;

/// How far the clocks of two machines may be apart, in seconds.
pub const LEEWAY: i64 = 60;

/// The event that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// More values of one claim than this are not looked at.
const MOST_VALUES: usize = 200;

/// The longest ID of a token, and of an issuer's session, in bytes.
const LONGEST_ID: usize = 256;

/// The claims of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

/// Which issuer a token must come from, and which audience it must be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    /// One of them is enough.
    pub audiences: &'a [String],
    /// How far ahead its end may be. `None`: any time.
    pub longest: Option<Duration>,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is no signed token, or is too long.
    Malformed,
    /// The header names no accepted algorithm. `none` and those with a shared secret never are.
    Algorithm,
    /// The header wants an extension to be understood (`crit`).
    Critical,
    /// No known key has its `kid`, or none is for its algorithm.
    UnknownKey,
    Signature,
    Issuer,
    Audience,
    /// It was made for another client (`azp`).
    AuthorizedParty,
    Expired,
    /// `nbf` or `iat` is in the future.
    NotYet,
    /// Its end is too far ahead.
    TooLong,
    Missing(&'static str),
    /// The claim has another form than it must have.
    WrongForm(&'static str),
    Nonce,
    /// It is no logout token.
    NoLogout,
}

impl Refused {
    /// A sentence about the token. It repeats nothing of it.
    pub fn why(self) -> String {
        match self {
            Self::Malformed => "It is not a signed token of at most 16 KiB.".to_owned(),
            Self::Algorithm => {
                "Its header names no accepted algorithm: RS256, PS256, ES256 or EdDSA.".to_owned()
            }
            Self::Critical => "Its header has `crit`, which is not supported.".to_owned(),
            Self::UnknownKey => {
                "None of the issuer's keys has its `kid` and its algorithm.".to_owned()
            }
            Self::Signature => "Its signature does not verify.".to_owned(),
            Self::Issuer => "Its `iss` is another issuer.".to_owned(),
            Self::Audience => "Its `aud` does not name this service.".to_owned(),
            Self::AuthorizedParty => "Its `azp` is another client.".to_owned(),
            Self::Expired => "Its `exp` has passed.".to_owned(),
            Self::NotYet => "It is not valid yet, by its `nbf` or `iat`.".to_owned(),
            Self::TooLong => "Its `exp` is too far ahead.".to_owned(),
            Self::Missing(claim) => format!("It has no `{claim}`."),
            Self::WrongForm(claim) => format!("Its `{claim}` does not have the expected form."),
            Self::Nonce => "Its `nonce` is of another sign-in.".to_owned(),
            Self::NoLogout => "It is not a logout token.".to_owned(),
        }
    }
}

impl Claims {
    pub fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Checks `iss`, `aud`, `exp`, and where they are there `nbf` and `iat`.
    pub fn check(&self, expected: &Expected<'_>, now: OffsetDateTime) -> Result<(), Refused> {
        if self.text("iss")? != Some(expected.issuer) {
            return Err(Refused::Issuer);
        }
        let audiences = self.audiences()?;
        if !audiences
            .iter()
            .any(|audience| expected.audiences.iter().any(|own| own == audience))
        {
            return Err(Refused::Audience);
        }
        let now = now.unix_timestamp();
        let end = self.end()?;
        if now >= end + LEEWAY {
            return Err(Refused::Expired);
        }
        for claim in ["nbf", "iat"] {
            if let Some(at) = self.seconds(claim)?
                && at > now + LEEWAY
            {
                return Err(Refused::NotYet);
            }
        }
        if let Some(longest) = expected.longest {
            let longest = i64::try_from(longest.as_secs()).unwrap_or(i64::MAX - LEEWAY);
            if end - now > longest + LEEWAY {
                return Err(Refused::TooLong);
            }
        }
        Ok(())
    }

    /// Checks what an ID token has besides (OpenID Connect Core 1.0, section 3.1.3.7): `iat`, the nonce of the
    /// sign-in, and `azp`, which a token for several audiences must have.
    pub fn check_id_token(&self, client: &str, nonce: &str) -> Result<(), Refused> {
        self.seconds("iat")?.ok_or(Refused::Missing("iat"))?;
        if self.text("nonce")? != Some(nonce) {
            return Err(Refused::Nonce);
        }
        match self.text("azp")? {
            Some(party) if party == client => Ok(()),
            Some(_) => Err(Refused::AuthorizedParty),
            None if self.audiences()?.len() > 1 => Err(Refused::AuthorizedParty),
            None => Ok(()),
        }
    }

    /// Whether the claim is there, whatever it says.
    pub fn has(&self, claim: &str) -> bool {
        self.0.contains_key(claim)
    }

    /// Adds the wanted claims of a second document about the same person, where they are not there already. Fails where
    /// the document is about somebody else.
    pub fn complete(&mut self, more: Map<String, Value>, wanted: &[&str]) -> Result<(), Refused> {
        match (self.0.get("sub"), more.get("sub")) {
            (Some(Value::String(one)), Some(Value::String(other))) if one == other => {}
            (Some(_) | None, Some(_) | None) => return Err(Refused::WrongForm("sub")),
        }
        for (claim, value) in more {
            if wanted.contains(&claim.as_str()) {
                self.0.entry(claim).or_insert(value);
            }
        }
        Ok(())
    }

    /// Checks what makes a token one of a logout (OpenID Connect Back-Channel Logout 1.0, section 2.6).
    pub fn check_logout_token(&self) -> Result<(), Refused> {
        self.seconds("iat")?.ok_or(Refused::Missing("iat"))?;
        let event = self
            .0
            .get("events")
            .and_then(|events| events.get(LOGOUT_EVENT))
            .is_some_and(Value::is_object);
        // An ID token has a nonce, and must not end sessions.
        match event && !self.0.contains_key("nonce") {
            true => Ok(()),
            false => Err(Refused::NoLogout),
        }
    }

    /// When it ends, in seconds since 1970.
    pub fn end(&self) -> Result<i64, Refused> {
        self.seconds("exp")?.ok_or(Refused::Missing("exp"))
    }

    /// The ID that tells it from every other token of its issuer: 1 to 256 bytes.
    pub fn token_id(&self) -> Result<&str, Refused> {
        self.id("jti")?.ok_or(Refused::Missing("jti"))
    }

    /// An ID of 1 to 256 bytes.
    pub fn id(&self, claim: &'static str) -> Result<Option<&str>, Refused> {
        match self.text(claim)? {
            Some(id) if id.is_empty() || id.len() > LONGEST_ID => Err(Refused::WrongForm(claim)),
            other => Ok(other),
        }
    }

    /// A claim that is a text where it is there.
    pub fn text(&self, claim: &'static str) -> Result<Option<&str>, Refused> {
        match self.0.get(claim) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::WrongForm(claim)),
        }
    }

    /// The texts of a claim that is a text or a list: at most 200. A claim of another form has none.
    pub fn texts(&self, claim: &str) -> Vec<&str> {
        match self.0.get(claim) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(list)) => list
                .iter()
                .take(MOST_VALUES)
                .filter_map(Value::as_str)
                .collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                Vec::new()
            }
        }
    }

    /// Whether the claim is true, or has the wanted value.
    pub fn holds(&self, claim: &str, wanted: Option<&str>) -> bool {
        match wanted {
            Some(wanted) => self.texts(claim).contains(&wanted),
            None => self.0.get(claim) == Some(&Value::Bool(true)),
        }
    }

    fn audiences(&self) -> Result<Vec<&str>, Refused> {
        match self.0.get("aud") {
            None => Err(Refused::Missing("aud")),
            Some(Value::String(_) | Value::Array(_)) => Ok(self.texts("aud")),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
                Err(Refused::WrongForm("aud"))
            }
        }
    }

    /// A time in seconds since 1970, which may have a fraction (RFC 7519, section 2, NumericDate).
    fn seconds(&self, claim: &'static str) -> Result<Option<i64>, Refused> {
        const LATEST: f64 = 253_402_300_799.0;
        let Some(value) = self.0.get(claim) else {
            return Ok(None);
        };
        value
            .as_f64()
            .filter(|at| (0.0..=LATEST).contains(at))
            // In the range that was just checked, nothing is lost but the fraction.
            .map(|at| Some(at as i64))
            .ok_or(Refused::WrongForm(claim))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-27 12:00:00 UTC);

    fn at(seconds: i64) -> i64 {
        NOW.unix_timestamp() + seconds
    }

    fn claims(change: impl FnOnce(&mut Map<String, Value>)) -> Claims {
        let good = json!({
            "iss": "https://issuer.example", "aud": "us", "exp": at(300), "iat": at(-1),
            "nonce": "n", "sub": "user-1", "jti": "1",
        });
        let Value::Object(mut map) = good else {
            panic!("an object");
        };
        change(&mut map);
        Claims::new(map)
    }

    #[test]
    fn a_second_document_adds_what_is_wanted_and_changes_nothing() {
        let more = |sub: Value| {
            let document = json!({"sub": sub, "workspace": "acme", "nonce": "other", "aud": "all"});
            match document {
                Value::Object(map) => map,
                other => panic!("{other}"),
            }
        };
        let wanted = ["workspace", "nonce", "role"];
        let mut completed = claims(|_| {});
        completed.complete(more(json!("user-1")), &wanted).unwrap();
        assert_eq!(completed.texts("workspace"), ["acme"]);
        assert_eq!(completed.texts("nonce"), ["n"]);
        assert_eq!(completed.texts("aud"), ["us"]);
        assert!(completed.has("workspace") && !completed.has("role"));
        for (mut of, about) in [
            (claims(|_| {}), json!("user-2")),
            (claims(|_| {}), Value::Null),
            (claims(|map| drop(map.remove("sub"))), Value::Null),
            (claims(|map| drop(map.remove("sub"))), json!("user-1")),
        ] {
            let refused = of.complete(more(about), &wanted);
            assert_eq!(refused, Err(Refused::WrongForm("sub")));
            assert!(!of.has("workspace"));
        }
    }

    fn checked(claims: &Claims) -> Result<(), Refused> {
        let expected = Expected {
            issuer: "https://issuer.example",
            audiences: &["us".to_owned(), "us/".to_owned()],
            longest: Some(Duration::from_secs(600)),
        };
        claims.check(&expected, NOW)
    }

    #[test]
    fn each_claim_that_is_not_right_is_refused() {
        type Change = fn(&mut Map<String, Value>);
        let set: [(Change, Refused); 17] = [
            (|c| drop(c.remove("iss")), Refused::Issuer),
            (
                |c| drop(c.insert("iss".into(), json!("https://issuer.example/"))),
                Refused::Issuer,
            ),
            (
                |c| drop(c.insert("iss".into(), json!(["https://issuer.example"]))),
                Refused::WrongForm("iss"),
            ),
            (|c| drop(c.remove("aud")), Refused::Missing("aud")),
            (
                |c| drop(c.insert("aud".into(), json!("them"))),
                Refused::Audience,
            ),
            (
                |c| drop(c.insert("aud".into(), json!([]))),
                Refused::Audience,
            ),
            (
                |c| drop(c.insert("aud".into(), json!([1, "them"]))),
                Refused::Audience,
            ),
            (
                |c| drop(c.insert("aud".into(), json!(1))),
                Refused::WrongForm("aud"),
            ),
            (|c| drop(c.remove("exp")), Refused::Missing("exp")),
            (
                |c| drop(c.insert("exp".into(), json!(at(-61)))),
                Refused::Expired,
            ),
            (
                |c| drop(c.insert("exp".into(), json!(at(-60)))),
                Refused::Expired,
            ),
            (
                |c| drop(c.insert("exp".into(), json!("2026"))),
                Refused::WrongForm("exp"),
            ),
            (
                |c| drop(c.insert("exp".into(), json!(1e300))),
                Refused::WrongForm("exp"),
            ),
            (
                |c| drop(c.insert("exp".into(), json!(-1))),
                Refused::WrongForm("exp"),
            ),
            (
                |c| drop(c.insert("exp".into(), json!(at(661)))),
                Refused::TooLong,
            ),
            (
                |c| drop(c.insert("nbf".into(), json!(at(61)))),
                Refused::NotYet,
            ),
            (
                |c| drop(c.insert("iat".into(), json!(at(61)))),
                Refused::NotYet,
            ),
        ];
        for (number, (change, refused)) in set.into_iter().enumerate() {
            assert_eq!(checked(&claims(change)), Err(refused), "{number}");
        }
        // Clocks may differ, an audience may be one of several, and a time may have a fraction.
        let good: [Change; 5] = [
            |_| {},
            |c| drop(c.insert("aud".into(), json!(["them", "us/"]))),
            |c| drop(c.insert("exp".into(), json!(at(-59)))),
            |c| {
                let half = at(10) as f64 + 0.5;
                c.insert("exp".into(), json!(half));
            },
            |c| drop(c.insert("nbf".into(), json!(at(59)))),
        ];
        for change in good {
            assert_eq!(checked(&claims(change)), Ok(()));
        }
    }

    #[test]
    fn an_id_token_is_of_this_sign_in_and_for_this_client() {
        let check = |change: fn(&mut Map<String, Value>)| claims(change).check_id_token("us", "n");
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(|c| drop(c.insert("azp".into(), json!("us")))), Ok(()));
        assert_eq!(check(|c| drop(c.remove("nonce"))), Err(Refused::Nonce));
        assert_eq!(
            check(|c| drop(c.insert("nonce".into(), json!("m")))),
            Err(Refused::Nonce)
        );
        assert_eq!(
            check(|c| drop(c.remove("iat"))),
            Err(Refused::Missing("iat"))
        );
        let other = Err(Refused::AuthorizedParty);
        assert_eq!(
            check(|c| drop(c.insert("azp".into(), json!("them")))),
            other
        );
        assert_eq!(
            check(|c| drop(c.insert("aud".into(), json!(["us", "them"])))),
            other
        );
    }

    #[test]
    fn a_logout_token_has_its_event_and_no_nonce() {
        let logout = |c: &mut Map<String, Value>| {
            c.remove("nonce");
            c.insert("events".into(), json!({LOGOUT_EVENT: {}}));
        };
        assert_eq!(claims(logout).check_logout_token(), Ok(()));
        let refused = Err(Refused::NoLogout);
        assert_eq!(claims(|_| {}).check_logout_token(), refused);
        let with_nonce = claims(|c| {
            logout(c);
            c.insert("nonce".into(), json!("n"));
        });
        assert_eq!(with_nonce.check_logout_token(), refused);
        let other_event = claims(|c| {
            logout(c);
            c.insert("events".into(), json!({"other": {}}));
        });
        assert_eq!(other_event.check_logout_token(), refused);
    }

    #[test]
    fn values_are_read_from_texts_and_lists_alone() {
        let claims = claims(|c| {
            c.insert("one".into(), json!("a"));
            c.insert("list".into(), json!(["a", 1, "b"]));
            c.insert("yes".into(), json!(true));
            c.insert("word".into(), json!("true"));
        });
        assert_eq!(claims.texts("one"), ["a"]);
        assert_eq!(claims.texts("list"), ["a", "b"]);
        assert!(claims.texts("yes").is_empty() && claims.texts("absent").is_empty());
        assert!(claims.holds("yes", None) && claims.holds("list", Some("b")));
        assert!(!claims.holds("word", None) && !claims.holds("list", Some("c")));
        assert!(!claims.holds("absent", None));
        assert_eq!(claims.token_id(), Ok("1"));
    }
}
