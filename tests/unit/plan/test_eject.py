"""How a cell's image is run elsewhere: each form is read as its readers would, and confines as our own runs do."""

from __future__ import annotations

import configparser
import json
import shlex
from dataclasses import replace
from typing import get_args

import pytest
from invoke.vendor import yaml

from bareboat.inputs.expectation import AS_IT_STANDS
from bareboat.inputs.limits import Limits
from bareboat.plan.eject import Form, Service, eject
from tests.unit.project import HELLO, plan_of
from tests.unit.schemas import faults

FORMS = get_args(Form)
LIMITS = Limits(memory_mb=640, processes=192)


def text(form, service=None, **changes):
    (cell,) = plan_of("scratch-musl", samples=(replace(HELLO, **changes),)).cells
    return eject(cell, form, "ghcr.io/me/app:1", LIMITS, service)


@pytest.mark.parametrize(("service", "restart"), [(None, "no"), (Service(), "unless-stopped")])
def test_a_compose_file_confines_as_our_runs_do(service, restart):
    (service,) = yaml.safe_load(text("compose", service=service))["services"].items()
    assert service == (
        "hello-world",
        {
            "image": "ghcr.io/me/app:1",
            "user": "65532:65532",
            "read_only": True,
            "tmpfs": ["/tmp"],
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "mem_limit": 640_000_000,
            "pids_limit": 192,
            "restart": restart,
        },
    )


def test_a_program_that_served_is_a_service_with_its_ports():
    served = Service(ports=(8080, 9090))
    (service,) = yaml.safe_load(text("compose", served))["services"].values()
    assert (service["ports"], service["restart"]) == (["8080:8080", "9090:9090"], "unless-stopped")
    assert not {"init", "sysctls"} & set(service)
    spec = yaml.safe_load(text("kube", served))["spec"]
    assert spec["containers"][0]["ports"] == [{"containerPort": 8080}, {"containerPort": 9090}]
    assert spec["containers"][0]["volumeMounts"] == [{"name": spec["volumes"][0]["name"], "mountPath": "/tmp"}]
    assert (spec["restartPolicy"], "securityContext" in spec) == ("Always", False)
    unit = text("quadlet", served)
    assert "PublishPort=8080:8080\nPublishPort=9090:9090\n" in unit
    assert "Restart=on-failure" in unit
    assert not {"RunInit", "Sysctl"} & {line.partition("=")[0] for line in unit.splitlines()}


def test_a_low_port_may_be_listened_on_and_what_heeds_no_signal_gets_an_init():
    served = Service(ports=(80,), heeds=False)
    (service,) = yaml.safe_load(text("compose", served))["services"].values()
    assert (service["init"], service["sysctls"]) == (True, ["net.ipv4.ip_unprivileged_port_start=0"])
    sysctls = yaml.safe_load(text("kube", served))["spec"]["securityContext"]["sysctls"]
    assert sysctls == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    unit = text("quadlet", served)
    assert "Sysctl=net.ipv4.ip_unprivileged_port_start=0\nRunInit=true\n" in unit


def test_a_run_is_one_command_that_confines_as_our_runs_do():
    run = replace(AS_IT_STANDS, arguments=("--root", "a b"))
    said = shlex.split(text("run", Service(ports=(80, 8080), heeds=False), expectations=(run,)))
    assert (said[:3], said[-3:]) == (["podman", "run", "--rm"], ["ghcr.io/me/app:1", "--root", "a b"])
    assert set(said[3:-3]) == {
        *("--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp"),
        *("--cap-drop=all", "--security-opt=no-new-privileges", "--user=65532:65532"),
        *("--memory=640000000b", "--pids-limit=192", "--init", "--publish=80:80", "--publish=8080:8080"),
        "--sysctl=net.ipv4.ip_unprivileged_port_start=0",
    }
    plain = shlex.split(text("run"))
    assert plain[-1] == "ghcr.io/me/app:1"
    assert not [word for word in plain if word.startswith(("--publish", "--sysctl", "--init"))]


def test_arguments_arrive_to_the_letter():
    words = ("--root=/srv", 'a "b" c', "$HOME", "%h", "$(id)", "\\x")
    run = replace(AS_IT_STANDS, arguments=words)
    (service,) = yaml.safe_load(text("compose", expectations=(run,)))["services"].values()
    assert [word.replace("$$", "$") for word in service["command"]] == list(words)
    assert all(word.count("$") % 2 == 0 for word in service["command"])
    (container,) = yaml.safe_load(text("kube", expectations=(run,)))["spec"]["containers"]
    assert [word.replace("$$(", "$(") for word in container["args"]] == list(words)
    (line,) = [line for line in text("quadlet", expectations=(run,)).splitlines() if line.startswith("Exec=")]
    assert shlex.split(line.removeprefix("Exec=").replace("%%", "%").replace("$$", "$")) == list(words)
    assert "Exec=" not in text("quadlet")


def test_a_pod_confines_as_our_runs_do():
    pod = yaml.safe_load(text("kube", name="my_app.rs+small"))
    assert (pod["kind"], pod["metadata"]["name"], pod["spec"]["restartPolicy"]) == ("Pod", "my-app-rs-small", "Never")
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"] == {"limits": {"memory": "640M"}}


def test_a_quadlet_confines_as_our_runs_do():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(text("quadlet"))
    assert dict(unit["Container"]) == {
        "Image": "ghcr.io/me/app:1",
        "User": "65532",
        "Group": "65532",
        "ReadOnly": "true",
        "Tmpfs": "/tmp",
        "DropCapability": "all",
        "NoNewPrivileges": "true",
        "PodmanArgs": "--read-only-tmpfs=false --memory=640000000b --pids-limit=192",
    }
    assert dict(unit["Service"]) == {"Type": "oneshot"}


HEALTH = ("/probe", "8080", "/well?a=%h&b=$c")


def test_a_health_check_asks_what_the_image_asks():
    (cell,) = plan_of("scratch-musl").cells
    said = {form: eject(replace(cell, healthcheck=HEALTH), form, "x", LIMITS, Service()) for form in FORMS}
    (option,) = [word for word in shlex.split(said["run"]) if word.startswith("--health-cmd=")]
    assert json.loads(option.removeprefix("--health-cmd=")) == ["CMD", *HEALTH]
    (service,) = yaml.safe_load(said["compose"])["services"].values()
    assert [word.replace("$$", "$") for word in service["healthcheck"]["test"]] == ["CMD", *HEALTH]
    assert faults("compose-spec", said["compose"]) == []
    (container,) = yaml.safe_load(said["kube"])["spec"]["containers"]
    assert container["livenessProbe"] == {"timeoutSeconds": 6, "exec": {"command": list(HEALTH)}}
    (line,) = [line for line in said["quadlet"].splitlines() if line.startswith("HealthCmd=")]
    words = line.removeprefix("HealthCmd=").replace("%%", "%").replace("$$", "$")
    assert json.loads(words) == ["CMD", *HEALTH]
    assert not [form for form in FORMS if "health" in eject(cell, form, "x", LIMITS, Service()).lower()]


@pytest.mark.parametrize("word", ["null", "true", "123"])
def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(word):
    (cell,) = plan_of("scratch-musl", samples=(replace(HELLO, name=word),)).cells
    (service,) = yaml.safe_load(eject(cell, "compose", word, LIMITS))["services"].items()
    assert (service[0], service[1]["image"]) == (word, word)
    pod = yaml.safe_load(eject(cell, "kube", word, LIMITS))
    (container,) = pod["spec"]["containers"]
    assert (pod["metadata"]["name"], container["name"], container["image"]) == (word, word, word)


@pytest.mark.parametrize("service", [None, Service(), Service(ports=(80, 8080), heeds=False)])
@pytest.mark.parametrize("arguments", [(), ("--root", "a $b", "#: é")])
def test_a_compose_file_is_what_the_compose_specification_says(service, arguments):
    run = replace(AS_IT_STANDS, arguments=arguments)
    written = text("compose", service, expectations=(run,))
    assert faults("compose-spec", written) == []
    assert faults("compose-spec", written.replace("read_only: true", "read_only: [true]"))
