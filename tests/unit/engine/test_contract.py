"""Every method of the Protocols has a contract test, and both engines take what the Protocols say."""

from __future__ import annotations

import ast
import inspect
from textwrap import dedent

import pytest

from bareboat.engine import Engine
from bareboat.engine.containers import Containers
from bareboat.engine.fake import FakeEngine
from bareboat.engine.images import Images
from bareboat.podman_engine.engine import PodmanEngine
from tests.engine_contract import ContainersContract, ImagesContract


def methods_of(protocol):
    return {name for name, value in vars(protocol).items() if inspect.isfunction(value) and not name.startswith("_")}


def methods_called_in(contract):
    """What the tests of a contract call on `engine`, or hand on of it to be called."""
    tree = ast.parse(dedent(inspect.getsource(contract)))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    used = [node for test in tests for node in ast.walk(test) if isinstance(node, ast.Attribute)]
    return {node.attr for node in used if ast.unparse(node.value) == "engine"}


@pytest.mark.parametrize(("protocol", "contract"), [(Images, ImagesContract), (Containers, ContainersContract)])
def test_every_method_has_a_contract_test(protocol, contract):
    assert methods_of(protocol), "a Protocol without methods would prove nothing"
    assert methods_of(protocol) - methods_called_in(contract) == set()


def test_an_engine_is_both_and_no_more():
    assert methods_of(Engine) == set()
    assert set(Engine.__mro__) >= {Images, Containers}


@pytest.mark.parametrize("engine", [FakeEngine, PodmanEngine])
def test_an_engine_takes_and_returns_what_the_protocols_say(engine):
    for protocol in (Images, Containers):
        for name in methods_of(protocol):
            assert inspect.signature(getattr(engine, name)) == inspect.signature(getattr(protocol, name)), name
