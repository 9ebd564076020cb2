"""No password and no token comes through, and what is none stays as it is."""

from __future__ import annotations

import base64
import string
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bareboat.system.redact import redact, secrets_in, secrets_of

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
# What stands in a URL as it is; everything else is quoted there.
USERINFO = st.text(
    st.sampled_from(string.ascii_letters + string.digits + "-._~!$&'()+,;=:@%\"\\"), min_size=1, max_size=20
)
PASSWORDS = st.text(st.sampled_from(string.ascii_letters + string.digits + "-._~!$&() @/#é"), min_size=6, max_size=24)
TOKEN = "0a1b2c3d4e5f6a7b8c9d"


@settings(deadline=None)
@given(before=WORDS, after=WORDS, userinfo=USERINFO, scheme=st.sampled_from(["http", "https", "ssh", "sparse+https"]))
def test_no_userinfo_of_a_url_comes_through(before, after, userinfo, scheme):
    said = redact(f"{before} {scheme}://{userinfo}@host/x {after}")
    assert f"{scheme}://***@host/x" in said
    assume(userinfo not in redact(before) + redact(after) + f"{scheme}://***@host/x")
    assert userinfo not in said


@settings(deadline=None)
@given(before=WORDS, after=WORDS, secret=PASSWORDS)
@pytest.mark.parametrize(
    "name",
    ["CARGO_REGISTRY_TOKEN", "CARGO_REGISTRIES_MINE_TOKEN", "DB_PASSWORD", "pip_password", "AWS_SECRET_ACCESS_KEY"],
)
def test_a_variable_that_is_a_secret_is_hidden_wherever_it_stands(name, before, after, secret):
    known = secrets_of({name: secret, "PATH": "/usr/bin"})
    assume(len(secret.strip()) >= 6)
    for written in (secret.strip(), quote(secret.strip(), safe="")):
        assert written not in redact(f"{before}{written}{after}", known)


@settings(deadline=None)
@given(password=PASSWORDS, host=st.sampled_from(["proxy", "proxy:3128", "[::1]:3128"]))
@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"])
def test_the_password_of_a_proxy_or_index_is_hidden_in_every_way_of_writing_it(name, password, host):
    written = quote(password, safe="")
    known = secrets_of({name: f"http://user:{written}@{host}/simple"})
    basic = base64.b64encode(f"user:{password}".encode()).decode()
    said = redact(f"407 for {password} and {written} and {basic}", known)
    assume(password not in "407 for *** and *** and ***")
    assert said == "407 for *** and *** and ***"


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5))
def test_to_hide_twice_is_to_hide_once(words):
    known = secrets_of({"A_TOKEN": words[0]})
    text = "authorization: Basic x http://a:b@c ".join(words)
    assert redact(redact(text, known), known) == redact(text, known)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "error: no such file: src/main.rs@2",
        "https://github.com/rust-lang/crates.io-index#itoa@1.0.19",
        "path+file:///src#hello@0.1.0",
        "see https://doc.rust-lang.org/cargo/ and mail a@b.test",
        "docker.io/library/debian:trixie@sha256:0123456789abcdef",
    ],
)
def test_what_holds_no_secret_is_left_as_it_is(text):
    assert (
        redact(text, secrets_of({"PATH": "/usr/bin:/bin", "HOME": "/home/me", "http_proxy": "http://proxy:3128"}))
        == text
    )


@pytest.mark.parametrize(
    ("variables", "text", "said"),
    [
        ({"PIP_INDEX_URL": f"https://m.test/{TOKEN}/simple"}, f"GET /{TOKEN}/x", "GET /***/x"),
        ({"RUSTUP_DIST_SERVER": f"https://m.test/?key={TOKEN}"}, f"key={TOKEN}", "key=***"),
        ({"https_proxy": "user:bare-password@p.test:3128"}, "407 bare-password", "407 ***"),
        ({"https_proxy": f"http://{TOKEN}@p.test"}, f"for {TOKEN}", "for ***"),
        ({"CARGO_REGISTRIES_A_INDEX": "sparse+https://m.test/0f8fad5b-d9cb-469f-a165-70867728950e/i"}, *["x"] * 2),
        # What a person chose is no token, and a user's name no secret.
        ({"PIP_INDEX_URL": "https://m.test/artifactory/api/pypi/everybody/simple"}, "artifactory", "artifactory"),
        ({"CONTAINER_HOST": "ssh://ubuntu@host/run/podman.sock"}, "ubuntu", "ubuntu"),
        ({"PIP_INDEX_URL": "https://m.test/x86_64-unknown-linux-gnu/20240101T000000Z/"}, *["20240101T000000Z"] * 2),
        ({"A_TOKEN": "true", "B_PASSWORD": "12345"}, "true 12345", "true 12345"),
        ({"SOME_KEY": "not-a-secret", "GOPATH": "/go"}, "not-a-secret", "not-a-secret"),
        ({"DEPLOY_TOKEN": "first-line\nsecond-line\n"}, "second-line", "***"),
    ],
)
def test_what_is_a_secret_is_told_by_the_variable_and_by_its_look(variables, text, said):
    assert redact(text, secrets_of(variables)) == said


def test_a_uuid_in_a_mirrors_path_is_a_token():
    known = secrets_of({"PIP_INDEX_URL": "https://m.test/0f8fad5b-d9cb-469f-a165-70867728950e/simple"})
    assert redact("at /0f8fad5b-d9cb-469f-a165-70867728950e/", known) == "at /***/"


def test_a_configuration_file_has_tokens_in_entries_and_in_urls():
    known = secrets_in(
        '[registries.mine]\nindex = "sparse+https://m.test/' + TOKEN + '/index/"\ntoken = "Bearer-of-news"\n'
        "[http]\nproxy = 'user:other-password@proxy.test'\n# password = nothing-here\n"
        'Acquire::https::Proxy "http://u:apt-password@proxy.test";\n'
    )
    assert redact(f"{TOKEN} Bearer-of-news apt-password other-password", known) == "*** *** *** ***"
    assert redact("nothing-here", known) == "nothing-here"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("> Proxy-Authorization: Basic dXNlcjpw\n", "> Proxy-Authorization: Basic ***\n"),
        ("authorization: Bearer abc.def", "authorization: Bearer ***"),
        ('"Authorization": "token abc"', '"Authorization": "token ***"'),
    ],
)
def test_credentials_of_http_are_hidden(text, said):
    assert redact(text) == said
