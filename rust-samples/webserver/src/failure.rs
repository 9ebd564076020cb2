//! Why an upstream gave no response: the class, the reason, and the HTTP answer that says both.

use std::error::Error;
use std::fmt;

use hyper::StatusCode;

use crate::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Dns,
    Connect,
    Tls,
    Timeout,
    Upstream,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Upstream => "upstream",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub class: Class,
    pub detail: String,
    /// Nobody said no, but nobody answered in time either.
    pub timed_out: bool,
}

impl Failure {
    pub fn new(class: Class, detail: impl Into<String>) -> Self {
        Self {
            class,
            detail: detail.into(),
            timed_out: class == Class::Timeout,
        }
    }

    pub fn timed_out(class: Class, detail: impl Into<String>) -> Self {
        Self {
            timed_out: true,
            ..Self::new(class, detail)
        }
    }

    /// What a client's error comes from: a `Failure` of ours wherever it lies in the chain, else the upstream's.
    pub fn from_chain(error: &(dyn Error + 'static)) -> Self {
        let mut reasons = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(failure) = error.downcast_ref::<Self>() {
                return failure.clone();
            }
            reasons.push(error.to_string());
            next = error.source();
        }
        Self::new(Class::Upstream, reasons.join(": "))
    }

    pub fn status(&self) -> StatusCode {
        if self.timed_out {
            StatusCode::GATEWAY_TIMEOUT
        } else {
            StatusCode::BAD_GATEWAY
        }
    }

    pub fn body(&self) -> String {
        json::Object::new()
            .text("error", self.class.name())
            .text("detail", &self.detail)
            .finish()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.class.name(), self.detail)
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug)]
    struct Wrapped(Failure);

    impl fmt::Display for Wrapped {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("client error (Connect)")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_failure_is_found_at_the_end_of_a_chain() {
        let failure = Failure::new(Class::Tls, "expired");
        assert_eq!(Failure::from_chain(&Wrapped(failure.clone())), failure);
    }

    #[test]
    fn another_error_is_the_upstreams() {
        let failure = Failure::from_chain(&io::Error::other("reset"));
        assert_eq!(failure, Failure::new(Class::Upstream, "reset"));
        assert_eq!(failure.status(), StatusCode::BAD_GATEWAY);
    }

    #[test]
    fn the_body_is_json_and_a_timeout_is_504() {
        let failure = Failure::timed_out(Class::Dns, "\"a\"\n");
        assert_eq!(failure.body(), r#"{"error":"dns","detail":"\"a\"\n"}"#);
        assert_eq!(failure.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(
            Failure::new(Class::Timeout, "").status(),
            StatusCode::GATEWAY_TIMEOUT
        );
    }
}
