//! Takes connections until a signal says stop, then lets what is under way finish.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::config::{Config, Mistake};
use crate::connect::Connector;
use crate::dns::Resolver;
use crate::pool::{BUFFER_BYTES, Pool};
use crate::proxy::Proxy;
use crate::tls;

/// How long a client may take over a request's headers, and how long a kept connection may be idle.
const HEADERS: Duration = Duration::from_secs(60);

/// Until a request that has arrived is read, so that closing what is idle does not close it too.
const SETTLE: Duration = Duration::from_millis(20);

/// Until there may be a file descriptor again.
const EXHAUSTED: Duration = Duration::from_millis(50);

pub enum Stop {
    Finished,
    GaveUp,
}

pub async fn run(config: Config, tls: tls::Connector) -> Result<Stop, Mistake> {
    let mut signals = Signals::new().map_err(|error| Mistake::new("signals", error.to_string()))?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        Mistake::new(
            "LISTEN",
            format!("cannot listen on {}: {error}", config.listen),
        )
    })?;
    // Less than the proxy's own limit, so that the stage that hangs is the one that is named.
    let connector = Connector::new(Resolver::new(), tls, config.upstream_timeout * 9 / 10);
    let pool = Arc::new(Pool::new(connector));
    let server = Server {
        proxy: Arc::new(Proxy::new(
            config.routes,
            Arc::clone(&pool),
            config.upstream_timeout,
        )),
        graceful: GracefulShutdown::new(),
    };
    tokio::spawn(async move { pool.prune().await });
    server.accept_until(&listener, &mut signals).await;
    server.accept_waiting(&listener).await;
    drop(listener);
    sleep(SETTLE).await;
    tokio::select! {
        finished = timeout(config.grace, server.graceful.shutdown()) => {
            Ok(if finished.is_ok() { Stop::Finished } else { Stop::GaveUp })
        }
        () = signals.next() => Ok(Stop::GaveUp),
    }
}

struct Server {
    proxy: Arc<Proxy>,
    graceful: GracefulShutdown,
}

impl Server {
    async fn accept_until(&self, listener: &TcpListener, signals: &mut Signals) {
        loop {
            tokio::select! {
                () = signals.next() => return,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.serve(stream, peer),
                    Err(error) => pause(&error).await,
                },
            }
        }
    }

    /// Takes those that the kernel has greeted already, which closing would reset.
    async fn accept_waiting(&self, listener: &TcpListener) {
        while let Some(Ok((stream, peer))) =
            poll_fn(|context| match listener.poll_accept(context) {
                Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
                Poll::Pending => Poll::Ready(None),
            })
            .await
        {
            self.serve(stream, peer);
        }
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        // Without the option it is only slower.
        let _ = stream.set_nodelay(true);
        let proxy = Arc::clone(&self.proxy);
        let service = service_fn(move |request| {
            let proxy = Arc::clone(&proxy);
            async move { Ok::<_, Infallible>(proxy.answer(request, peer.ip()).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let watched = self.graceful.watch(connection);
        // Its errors are the client's, and each request has its line in the log.
        tokio::spawn(async move { drop(watched.await) });
    }
}

async fn pause(error: &io::Error) {
    let of_that_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    );
    if !of_that_connection {
        sleep(EXHAUSTED).await;
    }
}

/// Without a handler process 1 would not be stopped by either.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
