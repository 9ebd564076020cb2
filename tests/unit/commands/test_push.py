"""What `invoke push` makes of its words, and of what Podman says when an image does not come to its registry."""

from __future__ import annotations

import pytest

from bareboat.commands.push import explain_push, parse_references
from bareboat.errors import EngineError, InputError

REFERENCE = "ghcr.io/me/app:1"


@pytest.mark.parametrize(
    ("reference", "tags", "whole"),
    [
        ("ghcr.io/me/app:1.2", (), ("ghcr.io/me/app:1.2",)),
        (
            "ghcr.io/me/app:1.2",
            ("1", "latest", "1.2"),
            ("ghcr.io/me/app:1.2", "ghcr.io/me/app:1", "ghcr.io/me/app:latest"),
        ),
        ("ghcr.io/me/app", (), ("ghcr.io/me/app:latest",)),
        ("ghcr.io/me/app", ("1.2",), ("ghcr.io/me/app:1.2",)),
        ("localhost/app", (), ("localhost/app:latest",)),
        ("localhost:5000/app", (), ("localhost:5000/app:latest",)),
        ("registry:5000/my-app__x/y.z:V1", (), ("registry:5000/my-app__x/y.z:V1",)),
        ("[::1]:5000/app", (), ("[::1]:5000/app:latest",)),
    ],
)
def test_an_image_has_all_the_names_that_are_asked_for_each_once(reference, tags, whole):
    assert parse_references(reference, tags) == whole


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "app:1",
        "me/app:1",
        "ghcr.io",
        "ghcr.io/Me/app",
        "ghcr.io/me/app:",
        "ghcr.io/me/app@sha256:0",
        "--x/y",
        "a b.c/d",
        "dir:/etc/x",
        "https://ghcr.io/me/app",
        "ghcr.io/../app",
        "ghcr.io/me/app\n",
    ],
)
def test_a_name_without_a_registry_or_with_signs_that_no_name_has_is_refused(reference):
    with pytest.raises(InputError, match=r"is no name of an image in a registry: .* such as ghcr\.io/me/app:1\.2"):
        parse_references(reference, ())


@pytest.mark.parametrize("tag", ["", "a/b", "x:y", "-x", "1 2"])
def test_a_tag_is_a_tag_alone(tag):
    with pytest.raises(InputError, match=r"--tag .*: it takes a tag alone, such as 1\.2"):
        parse_references(REFERENCE, (tag,))


LOGIN, ASKS = "`podman login ghcr.io`", "whether there is a registry"


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("initiating layer upload to /v2/me/app/ in ghcr.io: unauthorized: authentication required", LOGIN),
        ("checking whether a blob exists: requested access to the resource is denied: denied: x", LOGIN),
        ("writing blob: received unexpected HTTP status: 403 Forbidden", LOGIN),
        ('Get "https://ghcr.io/v2/": http: server gave HTTP response to HTTPS client', "`insecure = true`"),
        ("pinging container registry ghcr.io: x509: certificate signed by unknown authority", "certs.d/ghcr.io/ca.crt"),
        ('Get "https://ghcr.io/v2/": dial tcp 127.0.0.1:1: connect: connection refused', ASKS),
        ("dial tcp: lookup ghcr.io: no such host", ASKS),
    ],
)
def test_why_an_image_does_not_come_is_one_line_and_its_cure_the_next(said, cure):
    log = ["Getting image source signatures", "Copying blob sha256:1", f"Error: {said}"]
    told = explain_push(REFERENCE, EngineError("podman push", 125, log))
    line, mended = str(told).split("\n")
    assert (line, cure in mended) == (f"{REFERENCE}: {said}", True)
    assert told.exit_code == 1


def test_layers_are_not_told():
    layer = f"sha256:{'0a' * 32}"
    said = f"trying to reuse blob {layer} at destination: whether a blob {layer} exists in ghcr.io: unauthorized: x"
    told = explain_push(REFERENCE, EngineError("podman push", 125, [f"Error: {said}"]))
    line = str(told).partition("\n")[0]
    assert line == f"{REFERENCE}: whether a blob exists in ghcr.io: unauthorized: x"


def test_what_is_not_known_is_told_as_podman_tells_it():
    error = EngineError("podman push", 125, ["Error: the moon is full"])
    assert explain_push(REFERENCE, error) is error
