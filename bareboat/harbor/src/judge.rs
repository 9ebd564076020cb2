//! From what was seen to a verdict.

use std::time::Duration;

use serde::Deserialize;

use crate::failure::Failure;
use crate::subject::Reading;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub passed: bool,
    /// One line.
    pub observed: String,
}

/// How a subject tells why it could not reach an upstream.
#[derive(Deserialize)]
struct Complaint {
    error: String,
    #[serde(default)]
    detail: Option<String>,
}

/// Many requests, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    pub asked: u32,
    pub right: u32,
    pub connections: u32,
    /// What was seen of the first that was not right.
    pub first_wrong: Option<String>,
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Self {
        Self {
            passed: false,
            observed: failure.to_string(),
        }
    }
}

pub fn health(reading: &Reading) -> Verdict {
    let passed = reading.status == 200;
    Verdict {
        passed,
        observed: if passed {
            "200".to_owned()
        } else {
            describe(reading)
        },
    }
}

/// 200 and `size_bytes` of the pattern.
pub fn body(reading: &Reading, size_bytes: u64) -> Verdict {
    if reading.status != 200 {
        return Verdict {
            passed: false,
            observed: describe(reading),
        };
    }
    let comparison = &reading.comparison;
    let passed = comparison.is_whole(size_bytes) && reading.broken.is_none();
    let likeness = match comparison.first_difference {
        Some(offset) => format!(", different from byte {offset} on"),
        None => " equal".to_owned(),
    };
    let lack = match comparison.size_bytes {
        all if all == size_bytes => String::new(),
        _ => format!(" of {size_bytes}"),
    };
    let end = match &reading.broken {
        Some(why) => format!(", then broken off: {why}"),
        None => String::new(),
    };
    let observed = format!("200, {} bytes{likeness}{lack}{end}", comparison.size_bytes);
    Verdict { passed, observed }
}

/// One of `statuses` and a JSON body whose `error` is `error`.
pub fn refusal(reading: &Reading, statuses: &[u16], error: &str) -> Verdict {
    let told = complaint(reading).is_some_and(|complaint| complaint.error == error);
    Verdict {
        passed: statuses.contains(&reading.status) && told,
        observed: describe(reading),
    }
}

/// The body came, and the name server was asked over TCP.
pub fn truncation(body: &Verdict, over_udp: u64, over_tcp: u64) -> Verdict {
    Verdict {
        passed: body.passed && over_tcp > 0,
        observed: format!(
            "{}; asked {over_udp} x UDP, {over_tcp} x TCP",
            body.observed
        ),
    }
}

/// The body came in pieces: at least half of the sender's time lies between its first and last byte.
pub fn stream(body: &Verdict, sending: Duration, first_to_last: Option<Duration>) -> Verdict {
    let between = first_to_last.unwrap_or_default();
    let passed = body.passed && between * 2 >= sending;
    // No figure where all is well: it would differ from run to run.
    let how = if passed {
        "in parts, over the time of their sending".to_owned()
    } else {
        format!("{} ms from first to last", between.as_millis())
    };
    let observed = format!("{}; {how}", body.observed);
    Verdict { passed, observed }
}

pub fn sum(sum: &Sum, wanted: u32) -> Verdict {
    let wrong = match &sum.first_wrong {
        Some(wrong) => format!("; first wrong: {wrong}"),
        None => String::new(),
    };
    let (right, asked, connections) = (sum.right, sum.asked, sum.connections);
    let observed = format!("{right} of {asked} right, {connections} connections{wrong}");
    Verdict {
        passed: sum.right == wanted && sum.asked == wanted,
        observed,
    }
}

fn complaint(reading: &Reading) -> Option<Complaint> {
    serde_json::from_slice(&reading.head).ok()
}

/// The status, and the subject's own words where it has some.
pub fn describe(reading: &Reading) -> String {
    let words = match complaint(reading) {
        Some(Complaint {
            error,
            detail: Some(detail),
        }) => format!("{error}: {detail}"),
        Some(Complaint {
            error,
            detail: None,
        }) => error,
        None => {
            let text = String::from_utf8_lossy(&reading.head);
            text.chars()
                .filter(|letter| !letter.is_control())
                .take(120)
                .collect()
        }
    };
    if words.is_empty() {
        reading.status.to_string()
    } else {
        format!("{}, {words}", reading.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Comparison;

    fn reading(status: u16, size_bytes: u64) -> Reading {
        let comparison = Comparison {
            size_bytes,
            first_difference: None,
        };
        Reading {
            status,
            comparison,
            ..Reading::default()
        }
    }

    fn told(status: u16, text: &str) -> Reading {
        Reading {
            head: text.as_bytes().to_vec(),
            ..reading(status, 0)
        }
    }

    fn verdict(passed: bool, observed: &str) -> Verdict {
        Verdict {
            passed,
            observed: observed.to_owned(),
        }
    }

    #[test]
    fn a_body_passes_only_whole_equal_and_with_200() {
        assert_eq!(
            body(&reading(200, 1024), 1024),
            verdict(true, "200, 1024 bytes equal")
        );
        assert_eq!(
            body(&reading(200, 1000), 1024),
            verdict(false, "200, 1000 bytes equal of 1024")
        );
        assert_eq!(body(&reading(204, 1024), 1024), verdict(false, "204"));
        let mut differs = reading(200, 1024);
        differs.comparison.first_difference = Some(7);
        let seen = "200, 1024 bytes, different from byte 7 on";
        assert_eq!(body(&differs, 1024), verdict(false, seen));
        let mut broken = reading(200, 1024);
        broken.broken = Some("connection closed".to_owned());
        let seen = "200, 1024 bytes equal, then broken off: connection closed";
        assert_eq!(body(&broken, 1024), verdict(false, seen));
        let refused = told(502, r#"{"error":"tls","detail":"expired"}"#);
        assert_eq!(body(&refused, 1024), verdict(false, "502, tls: expired"));
    }

    #[test]
    fn a_refusal_needs_the_status_and_the_word() {
        let tls = r#"{"error":"tls","detail":"certificate expired"}"#;
        let seen = verdict(true, "502, tls: certificate expired");
        assert_eq!(refusal(&told(502, tls), &[502], "tls"), seen);
        assert!(!refusal(&told(502, tls), &[502], "dns").passed);
        assert!(!refusal(&told(504, tls), &[502], "tls").passed);
        for (status, passed) in [(502, true), (504, true), (500, false)] {
            let verdict = refusal(&told(status, tls), &[502, 504], "tls");
            assert_eq!(verdict.passed, passed, "{status}");
        }
        assert_eq!(
            refusal(&told(502, r#"{"error":"dns"}"#), &[502], "dns"),
            verdict(true, "502, dns")
        );
        assert_eq!(
            refusal(&told(502, "bad\ngateway"), &[502], "tls"),
            verdict(false, "502, badgateway")
        );
        assert_eq!(
            refusal(&told(200, ""), &[502], "tls"),
            verdict(false, "200")
        );
    }

    #[test]
    fn truncation_needs_a_question_over_tcp() {
        let whole = verdict(true, "200");
        let seen = verdict(true, "200; asked 2 x UDP, 1 x TCP");
        assert_eq!(truncation(&whole, 2, 1), seen);
        assert!(!truncation(&whole, 2, 0).passed);
        assert!(!truncation(&verdict(false, "502"), 2, 1).passed);
    }

    #[test]
    fn a_stream_is_spread_over_the_time_of_its_sending() {
        let second = Duration::from_secs(1);
        let spread = |milliseconds| Some(Duration::from_millis(milliseconds));
        let whole = verdict(true, "200");
        let seen = verdict(true, "200; in parts, over the time of their sending");
        assert_eq!(stream(&whole, second, spread(990)), seen);
        assert_eq!(stream(&whole, second, spread(1010)), seen);
        let seen = verdict(false, "200; 3 ms from first to last");
        assert_eq!(stream(&whole, second, spread(3)), seen);
        assert!(!stream(&whole, second, None).passed);
        assert!(!stream(&verdict(false, "502"), second, spread(990)).passed);
    }

    #[test]
    fn a_sum_passes_when_all_are_right() {
        let mut all = Sum {
            asked: 200,
            right: 200,
            connections: 16,
            first_wrong: None,
        };
        assert_eq!(
            sum(&all, 200),
            verdict(true, "200 of 200 right, 16 connections")
        );
        all.right = 199;
        all.first_wrong = Some("502".to_owned());
        let seen = "199 of 200 right, 16 connections; first wrong: 502";
        assert_eq!(sum(&all, 200), verdict(false, seen));
        assert!(
            !sum(
                &Sum {
                    asked: 199,
                    right: 199,
                    ..Sum::default()
                },
                200
            )
            .passed
        );
    }

    #[test]
    fn health_is_200() {
        assert_eq!(health(&told(200, "ok")), verdict(true, "200"));
        assert_eq!(
            health(&told(503, "not yet")),
            verdict(false, "503, not yet")
        );
    }
}
