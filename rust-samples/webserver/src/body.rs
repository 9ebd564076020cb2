//! Bodies that stream through, one piece in hand at a time, and are counted on their way.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use crate::log::{Counter, Entry};

type Piece<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

fn length<E>(piece: &Piece<E>) -> u64 {
    match piece {
        Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, |data| data.len() as u64),
        _ => 0,
    }
}

/// The client's body on its way to the upstream.
pub enum RequestBody {
    Empty,
    Stream(Incoming, Counter),
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Piece<Self::Error> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Stream(incoming, counter) => {
                let piece = Pin::new(incoming).poll_frame(context);
                counter.fetch_add(length(&piece), Ordering::Relaxed);
                piece
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream(incoming, _) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream(incoming, _) => incoming.size_hint(),
        }
    }
}

enum Source {
    Text(Bytes),
    Upstream(Incoming),
}

/// The answer's body; the log line is written when it goes.
pub struct ResponseBody {
    source: Source,
    ended: bool,
    entry: Entry,
}

impl ResponseBody {
    pub fn text(text: impl Into<Bytes>, entry: Entry) -> Self {
        Self {
            source: Source::Text(text.into()),
            ended: false,
            entry,
        }
    }

    pub fn upstream(incoming: Incoming, entry: Entry) -> Self {
        Self {
            source: Source::Upstream(incoming),
            ended: false,
            entry,
        }
    }

    /// Keeps in the log why the answer is not what was asked for.
    pub fn fail(&mut self, error: String) {
        self.entry.error = Some(error);
    }

    fn poll_source(&mut self, context: &mut Context<'_>) -> Piece<io::Error> {
        match &mut self.source {
            Source::Text(text) if text.is_empty() => Poll::Ready(None),
            Source::Text(text) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(text))))),
            Source::Upstream(incoming) => Pin::new(incoming)
                .poll_frame(context)
                .map_err(io::Error::other),
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Piece<Self::Error> {
        let this = self.get_mut();
        let piece = this.poll_source(context);
        this.entry.bytes_out += length(&piece);
        match &piece {
            Poll::Ready(None) => this.ended = true,
            Poll::Ready(Some(Err(error))) => {
                this.ended = true;
                this.entry.error = Some(format!("upstream: the body broke off: {error}"));
            }
            _ => {}
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Text(text) => text.is_empty(),
            Source::Upstream(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Text(text) => SizeHint::with_exact(text.len() as u64),
            Source::Upstream(incoming) => incoming.size_hint(),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if !self.ended && !self.is_end_stream() && self.entry.error.is_none() {
            self.entry.error = Some("the client closed before the end".to_owned());
        }
    }
}
