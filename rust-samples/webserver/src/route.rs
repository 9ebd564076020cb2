//! Which upstream a path belongs to, and the path it has there.

use hyper::Uri;
use hyper::http::uri::{Authority, PathAndQuery};

use crate::config::Mistake;

/// Where the requests below one path prefix go.
#[derive(Debug, Clone)]
pub struct Route {
    pub variable: String,
    /// Begins and ends with a slash.
    pub prefix: String,
    pub authority: Authority,
    /// The path of the upstream's URL, without its last slash.
    base: String,
}

impl Route {
    pub fn new(variable: &str, prefix: String, url: &str) -> Result<Self, Mistake> {
        let mistake = |what: &str| Mistake::new(variable, format!("{url:?} {what}"));
        let uri: Uri = url
            .parse()
            .map_err(|error| mistake(&format!("is no URL: {error}")))?;
        match uri.scheme_str() {
            Some("https") => {}
            Some(_) => {
                return Err(mistake(
                    "does not begin with https://, and no other scheme is fetched from",
                ));
            }
            None => return Err(mistake("does not begin with https://")),
        }
        if url.contains('#') || uri.query().is_some() {
            return Err(mistake(
                "has a query or a fragment, which cannot be joined with a request's path",
            ));
        }
        let authority = uri
            .authority()
            .cloned()
            .ok_or_else(|| mistake("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(mistake("holds a user name, which is not sent on"));
        }
        if authority.host().is_empty() {
            return Err(mistake("names no host"));
        }
        let has_port = authority.as_str().len() > authority.host().len();
        if has_port && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(mistake("has a port that is none from 1 to 65535"));
        }
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Self {
            variable: variable.to_owned(),
            prefix,
            authority,
            base,
        })
    }

    /// The upstream's path and query for a request's, or nothing where the prefix is another.
    pub fn path_and_query(&self, request: &PathAndQuery) -> Option<String> {
        let rest = request.path().strip_prefix(&self.prefix)?;
        let query = request
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        Some(format!("{}/{rest}{query}", self.base))
    }
}
