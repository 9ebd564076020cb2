//! Bodies that are made while they are sent: the pattern at once, or slowly in parts.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::pattern;

const PIECE_BYTES: u64 = 16 * 1024;
pub const PART_BYTES: u64 = 1024;

/// The first `size` bytes of the pattern, of announced length.
#[derive(Debug)]
pub struct PatternBody {
    offset: u64,
    size: u64,
}

impl PatternBody {
    pub const fn new(size: u64) -> Self {
        Self { offset: 0, size }
    }
}

impl Body for PatternBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        let size = PIECE_BYTES.min(body.size - body.offset);
        if size == 0 {
            return Poll::Ready(None);
        }
        let piece = piece(body.offset, size);
        body.offset += size;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.offset == self.size
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.size - self.offset)
    }
}

/// The pattern in parts of 1 KiB: the first at once, the last after the whole time, the others
/// evenly between. Its length is not announced, so it goes out in chunks.
#[derive(Debug)]
pub struct SlowBody {
    sent: u32,
    parts: u32,
    start: Instant,
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl SlowBody {
    pub fn new(whole: Duration, parts: u32) -> Self {
        let start = Instant::now();
        Self {
            sent: 0,
            parts,
            start,
            pause: whole / parts.saturating_sub(1).max(1),
            sleep: Box::pin(sleep_until(start)),
        }
    }
}

impl Body for SlowBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        if body.sent == body.parts {
            return Poll::Ready(None);
        }
        ready!(body.sleep.as_mut().poll(context));
        let piece = piece(u64::from(body.sent) * PART_BYTES, PART_BYTES);
        body.sent += 1;
        body.sleep
            .as_mut()
            .reset(body.start + body.pause * body.sent);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.parts
    }
}

fn piece(offset: u64, size: u64) -> Bytes {
    let mut piece = vec![0; usize::try_from(size).unwrap_or_default()];
    pattern::fill(offset, &mut piece);
    piece.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Comparison;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_body_is_the_pattern_whatever_its_size() {
        for size in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 100_000] {
            let body = PatternBody::new(size);
            assert_eq!(body.size_hint().exact(), Some(size));
            let mut comparison = Comparison::default();
            comparison.feed(&body.collect().await.unwrap().to_bytes());
            assert!(comparison.is_whole(size), "{size}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_spreads_its_parts_over_the_time() {
        let start = Instant::now();
        let mut body = SlowBody::new(Duration::from_secs(4), 5);
        let mut comparison = Comparison::default();
        let mut seconds = Vec::new();
        while let Some(frame) = body.frame().await {
            seconds.push(start.elapsed().as_secs());
            comparison.feed(&frame.unwrap().into_data().unwrap());
        }
        assert_eq!(seconds, [0, 1, 2, 3, 4]);
        assert!(comparison.is_whole(5 * PART_BYTES));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_of_one_part_or_none_ends() {
        for parts in [0, 1] {
            let body = SlowBody::new(Duration::from_secs(1), parts)
                .collect()
                .await
                .unwrap();
            assert_eq!(body.to_bytes().len() as u64, u64::from(parts) * PART_BYTES);
        }
    }
}
