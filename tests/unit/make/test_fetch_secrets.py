"""The host's own files for fetching crates: found where the environment or the distribution keeps them."""

from __future__ import annotations

import pytest

from bareboat.make import fetch_secrets as hostfiles
from bareboat.make.fetch_secrets import fetch_secrets
from bareboat.plan.containerfile import CA_SECRET, CARGO_SECRET


@pytest.fixture(autouse=True)
def host(tmp_path, monkeypatch):
    """A host whose distribution keeps its bundle in `bundle-1` or `bundle-2`, and whose user lives in `home`."""
    monkeypatch.setattr(hostfiles, "_CA_FILES", tuple(str(tmp_path / f"bundle-{number}") for number in (1, 2)))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def make(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_a_host_that_has_nothing_gives_nothing(host):
    assert fetch_secrets({}) == {}
    assert list(host.iterdir()) == []


def test_files_are_named_and_not_copied(host):
    bundle, config = make(host / "bundle-1"), make(host / "home" / ".cargo" / "config.toml")
    assert fetch_secrets({}) == {CA_SECRET: bundle, CARGO_SECRET: config}


def test_the_first_bundle_that_is_there_is_taken(host):
    second = make(host / "bundle-2")
    assert fetch_secrets({}) == {CA_SECRET: second}
    first = make(host / "bundle-1")
    assert fetch_secrets({}) == {CA_SECRET: first}


@pytest.mark.parametrize("name", ["CARGO_HTTP_CAINFO", "SSL_CERT_FILE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_the_environment_names_comes_before_the_distributions(host, name):
    make(host / "bundle-1")
    own = make(host / "own.pem")
    assert fetch_secrets({name: str(own)})[CA_SECRET] == own


def test_cargos_own_variable_comes_first(host):
    names = ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "CARGO_HTTP_CAINFO")
    files = {name: make(host / name) for name in names}
    assert fetch_secrets({name: str(path) for name, path in files.items()})[CA_SECRET] == files["CARGO_HTTP_CAINFO"]


@pytest.mark.parametrize("named", ["", "gone.pem", "folder"])
def test_a_variable_that_names_no_file_is_passed_over(host, named):
    (host / "folder").mkdir()
    bundle = make(host / "bundle-1")
    environment = {"SSL_CERT_FILE": str(host / named) if named else ""}
    assert fetch_secrets(environment) == {CA_SECRET: bundle}


def test_cargos_folder_is_where_cargo_home_says(host):
    make(host / "home" / ".cargo" / "config.toml")
    own = make(host / "cargo" / "config.toml")
    assert fetch_secrets({"CARGO_HOME": str(host / "cargo")}) == {CARGO_SECRET: own}


def test_an_empty_cargo_home_is_none(host):
    config = make(host / "home" / ".cargo" / "config.toml")
    assert fetch_secrets({"CARGO_HOME": ""}) == {CARGO_SECRET: config}


def test_of_two_configurations_the_one_that_cargo_reads_is_taken(host):
    make(host / "home" / ".cargo" / "config.toml")
    old = make(host / "home" / ".cargo" / "config")
    assert fetch_secrets({}) == {CARGO_SECRET: old}
