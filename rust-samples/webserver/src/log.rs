//! One JSON line on stdout for each request, written when its entry is dropped: after the last byte, or on a break.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::json;

/// What nginx logs when the client went away before an answer; never sent.
const CLIENT_CLOSED: u16 = 499;

/// Counts the bytes of a request's body, and so shows whether it still moves.
pub type Counter = Arc<AtomicU64>;

pub struct Entry {
    time: SystemTime,
    started: Instant,
    method: String,
    path: String,
    pub status: u16,
    pub upstream: String,
    pub bytes_in: Counter,
    pub bytes_out: u64,
    pub error: Option<String>,
}

impl Entry {
    pub fn start(method: &str, path: &str) -> Self {
        Self {
            time: SystemTime::now(),
            started: Instant::now(),
            method: method.to_owned(),
            path: path.to_owned(),
            status: CLIENT_CLOSED,
            upstream: String::new(),
            bytes_in: Counter::default(),
            bytes_out: 0,
            error: Some("the client closed before the answer".to_owned()),
        }
    }

    fn line(&self) -> String {
        let microseconds = self.started.elapsed().as_micros();
        let object = json::Object::new()
            .text("time", &rfc3339(self.time))
            .text("method", &self.method)
            .text("path", &self.path)
            .number("status", self.status)
            .text("upstream", &self.upstream)
            .number("bytes_in", self.bytes_in.load(Ordering::Relaxed))
            .number("bytes_out", self.bytes_out)
            .number(
                "milliseconds",
                format_args!("{}.{:03}", microseconds / 1000, microseconds % 1000),
            );
        match &self.error {
            Some(error) => object.text("error", error).finish(),
            None => object.finish(),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut line = self.line();
        line.push('\n');
        // A log that nobody reads any more must not end the server.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }
}

fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        since.subsec_millis()
    )
}

/// Year, month and day of a day since 1970: <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_is_utc_as_in_rfc_3339() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_001, "2024-02-29T23:59:59.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(
                rfc3339(UNIX_EPOCH + Duration::from_millis(milliseconds)),
                expected
            );
        }
    }

    #[test]
    fn a_line_is_one_line_whatever_the_path_holds() {
        let mut entry = Entry::start("GET", "/a\"\n");
        entry.status = 200;
        entry.upstream = "a.test".to_owned();
        entry.bytes_out = 3;
        entry.error = None;
        let line = entry.line();
        let rest = r#""method":"GET","path":"/a\"\n","status":200,"upstream":"a.test","bytes_in":0,"bytes_out":3,"#;
        assert!(line.contains(rest), "{line}");
        assert!(!line.contains("error"));
    }
}
