"""Takes secrets out of a text before anybody reads it: passwords and tokens of proxies, mirrors and registries. Pure.

`redact` is the one function that does; `secrets_of` and `secrets_in` find out what it is to look for.
"""

from __future__ import annotations

import base64
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "***"

# What stands before the last @ of a URL's authority, which ends at the first slash (RFC 3986, section 3.2).
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s]*@")
_AUTHORIZATION = re.compile(
    r"""(authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|token)\s+)?)[^\s"']+""", re.IGNORECASE
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
# curl takes a proxy's address without a scheme, too, in variables and in cargo's configuration.
_BARE = re.compile(
    r"(?:^|\bproxy[\"']?\s*[=:]\s*[\"']?)([^\s\"':/]+:[^\s\"'/]+@[^\s\"']+)", re.IGNORECASE | re.MULTILINE
)
# Variables that are secrets, and those that say where a proxy, a mirror or a registry is.
_SECRET = re.compile(
    r"(?:TOKEN|PASSWORD|PASSWD|_PWD|PASSPHRASE|SECRET|CREDENTIALS?|(?:API|ACCESS|PRIVATE|SECRET)_?KEY)$"
)
_NETWORK = re.compile(r"PROXY$|INDEX|MIRROR|REGISTRY|^(?:CARGO|PIP|UV|RUSTUP|CONTAINER|GOPROXY)")
# The same in a file: `token = "..."` of cargo, `password: ...`; the name may be the end of a longer one.
_ENTRY = re.compile(
    r"^[^#\n=:]*(?:token|password|secret[-_]?key)[\"']?\s*[=:]\s*[\"']?([^\s\"']+)", re.IGNORECASE | re.MULTILINE
)
# A shorter text is too common to be told from any other.
_LEAST = 6
_RUN = re.compile(r"[A-Za-z0-9]+")
_TIME = re.compile(r"\d{8}T\d{6}Z")  # https://snapshot.debian.org
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MIXED_RUN, _LONG_RUN = 16, 24


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with `***` for the userinfo of every URL, for credentials of HTTP, and for each of the `secrets`."""
    found = _pattern(frozenset(secrets))
    hidden = found.sub(HIDDEN, text) if found else text
    hidden = _USERINFO.sub(rf"\1{HIDDEN}@", hidden)
    return _AUTHORIZATION.sub(rf"\1{HIDDEN}", hidden)


def without_secrets(text: str) -> str:
    """The text without what this process's own environment says is secret: for what is printed or saved."""
    return redact(text, secrets_of(os.environ))


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """The secrets in variables: the values of those that are one by their names, and what URLs of the others hold."""
    found: set[str] = set()
    for name, value in environment.items():
        if _SECRET.search(name.upper()):
            found |= {form for line in value.splitlines() for form in _spellings(line.strip())}
        elif _NETWORK.search(name.upper()):
            found |= _in_urls(value)
    return frozenset(found)


def secrets_in(configuration: str) -> frozenset[str]:
    """The secrets in the text of a configuration file: what its URLs hold, and entries named token or password."""
    entries = (form for entry in _ENTRY.findall(configuration) for form in _spellings(entry))
    return frozenset({*entries, *_in_urls(configuration)})


def _in_urls(text: str) -> set[str]:
    urls = (*_URL.findall(text), *(f"http://{bare}" for bare in _BARE.findall(text)))
    return {form for url in urls for secret in _in_url(url) for form in _spellings(secret)}


def _in_url(url: str) -> Iterator[str]:
    """The password of a URL, and what of its user, path and query looks like a token."""
    authority, _, path = url.partition("://")[2].partition("/")
    userinfo = authority.rpartition("@")[0]
    user, colon, password = userinfo.partition(":")
    if password:
        yield password
        yield base64.b64encode(unquote(userinfo).encode()).decode()  # as HTTP sends it
    words = re.split(r"[/?&;=#]", path)
    yield from (word for word in (*words, user, *([] if colon else [userinfo])) if _is_token(word))


def _is_token(word: str) -> bool:
    """Whether a word is none that a person would choose: long, without pauses, of letters and digits."""
    if _TIME.fullmatch(word):
        return False
    runs = _RUN.findall(word)
    mixed = any(len(run) >= _MIXED_RUN and not run.isalpha() and not run.isdigit() for run in runs)
    return mixed or any(len(run) >= _LONG_RUN for run in runs) or _UUID.search(word) is not None


def _spellings(secret: str) -> set[str]:
    """A secret as it stands, and as it stands in a URL and outside one; none of a text that is too short."""
    forms = {secret, unquote(secret), quote(unquote(secret), safe="")}
    return {form for form in forms if len(form) >= _LEAST}


@lru_cache(maxsize=8)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    # The longest first, so that of two that begin alike no end remains.
    words = sorted((secret for secret in secrets if secret), key=lambda secret: (-len(secret), secret))
    return re.compile("|".join(map(re.escape, words))) if words else None
