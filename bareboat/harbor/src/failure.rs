//! What went wrong, as one line: what was being done, then why it could not be.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Says what was being done when an error came up.
pub trait During<T> {
    fn during(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: std::error::Error> During<T> for Result<T, E> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{what}: {}", chain(&error))))
    }
}

/// An error and its causes on one line, without a cause that the text before it has already told.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = inner.source();
    }
    line.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_being_done() {
        let failed: Result<u16, _> = "harbor".parse::<u16>();
        let failure = failed.during("--dns-port").unwrap_err();
        assert_eq!(
            failure.to_string(),
            "--dns-port: invalid digit found in string"
        );
    }
}
