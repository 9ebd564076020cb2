"""Samples: what is read from a crate, and which errors a wrong crate gives."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.errors import SampleError
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.expectation import AS_IT_STANDS, Expectation, Served, Serving
from bareboat.inputs.expected import ExpectedFailure
from bareboat.inputs.load_samples import give_network, load_samples
from bareboat.inputs.load_samples import load_crate as load_crates

SAMPLES = Path(__file__).parents[3] / "rust-samples"


@pytest.fixture
def crate(tmp_path):
    return Path(shutil.copytree(SAMPLES / "hello-world", tmp_path / "samples" / "hello-world"))


def load_crate(folder):
    """The crate itself, without its variants."""
    return load_crates(folder)[0]


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_hello_world_is_expected_to_say_so():
    sample = next(sample for sample in load_samples(SAMPLES) if sample.name == "hello-world")
    assert (sample.binary, sample.needs_crates) == ("hello-world", False)
    assert (sample.expectations[0].stdout, sample.expectations[0].exit_code) == ("Hello, world!\n", 0)


def test_a_crate_without_a_lock_is_told_how_to_get_one(crate):
    (crate / "Cargo.lock").unlink()
    with pytest.raises(SampleError, match=r"hello-world/Cargo\.lock: there is no such file: `cargo generate-lockfile"):
        load_samples(crate.parent)


def test_a_folder_without_a_manifest_is_named(crate):
    (crate / "Cargo.toml").unlink()
    with pytest.raises(SampleError, match=r"samples/hello-world/Cargo\.toml: there is no such file"):
        load_samples(crate.parent)


def test_a_workspace_is_told_to_name_a_member(crate):
    (crate / "Cargo.toml").write_text('[workspace]\nmembers = ["a"]\n', encoding="utf-8")
    with pytest.raises(SampleError, match="name the member's folder"):
        load_crate(crate)


def test_a_command_that_mends_can_be_pasted_whatever_the_folder_is_called(crate):
    odd = crate.rename(crate.parent / "my crate")
    (odd / "Cargo.lock").unlink()
    with pytest.raises(SampleError) as caught:
        load_samples(odd.parent)
    assert "--manifest-path 'samples/my crate/Cargo.toml'`" in str(caught.value)


def test_every_problem_of_every_crate_is_told_at_once(crate):
    for name in ("a", "b", "c", "d"):
        shutil.copytree(crate, crate.parent / name)
    (crate.parent / "a" / "Cargo.lock").unlink()
    (crate.parent / "b" / "Cargo.toml").unlink()
    (crate.parent / "c" / "Cargo.toml").write_text("[package", encoding="utf-8")
    (crate.parent / "d" / "Cargo.lock").write_bytes(b"\xff")
    with pytest.raises(SampleError) as caught:
        load_samples(crate.parent)
    files = [line.partition(": ")[0] for line in str(caught.value).splitlines()]
    assert files == [f"samples/{name}" for name in ("a/Cargo.lock", "b/Cargo.toml", "c/Cargo.toml", "d/Cargo.lock")]


@pytest.mark.parametrize("name", ["samples", "nowhere"])
def test_a_folder_without_crates_is_named(tmp_path, name):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "README.md").touch()
    with pytest.raises(SampleError) as caught:
        load_samples(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: has no sample (a folder with a Cargo.toml)"


@pytest.mark.parametrize(
    "package", ["[package]\nversion = '1.0.0'", "[package]\nname = 3", "package = 3", "[dependencies]", ""]
)
def test_a_package_without_a_name_is_named(crate, package):
    (crate / "Cargo.toml").write_text(package, encoding="utf-8")
    with pytest.raises(SampleError, match=r"^samples/hello-world/Cargo\.toml: has no \[package\] with a name"):
        load_samples(crate.parent)


def test_a_crate_that_says_nothing_to_us_is_run_as_it_stands(crate):
    (crate / "Cargo.toml").write_text('[package]\nname = "app"\n', encoding="utf-8")
    sample = load_crate(crate)
    assert sample.expectations == (Expectation(arguments=(), stdout=None, exit_code=None, timeout_seconds=10.0),)
    assert sample.expectations == (AS_IT_STANDS,)
    assert sample.expectations[0].is_open
    assert (sample.name, sample.binary, sample.summary, sample.env) == ("app", "app", "", ())


def bareboat(crate, table):
    """A crate whose table of ours has these lines."""
    text = f'[package]\nname = "app"\n[package.metadata.bareboat]\n{table}\n'
    (crate / "Cargo.toml").write_text(text, encoding="utf-8")
    return load_crate(crate)


def test_an_expectation_that_says_nothing_is_that_the_program_ends_well(crate):
    (plain,) = bareboat(crate, "expect = {}").expectations
    assert (plain, plain.is_open) == (Expectation(exit_code=0), False)


def test_a_run_of_a_name_alone_leaves_the_plain_run_as_it_stands(crate):
    sample = bareboat(crate, 'also = [{ name = "version", arguments = ["--version"] }]')
    assert sample.expectations == (AS_IT_STANDS, Expectation(name="version", arguments=("--version",)))


def test_a_variant_of_a_crate_that_says_nothing_may_say_what_it_expects(crate):
    bareboat(crate, 'variants = [{ name = "a" }, { name = "b", expect = { exit_code = 2 } }]')
    plain, same, other = load_crates(crate)
    assert [sample.expectations for sample in (plain, same)] == [(AS_IT_STANDS,)] * 2
    assert other.expectations == (Expectation(exit_code=2),)


def test_a_variant_may_have_other_runs_than_its_crate_or_none_but_the_plain_one(crate):
    more = 'also = [{ name = "more" }]'
    bareboat(crate, f'{more}\nvariants = [{{ name = "a" }}, {{ name = "b", also = [] }}, {{ name = "c", {more} }}]')
    runs = [[run.name for run in sample.expectations] for sample in load_crates(crate)]
    assert runs == [["", "more"], ["", "more"], [""], ["", "more"]]
    with pytest.raises(SampleError, match=r"variants\.0: `expect` has no name, and each of `also` has a name"):
        bareboat(crate, 'variants = [{ name = "a", also = [{}] }]')


def test_a_variant_of_a_crate_without_a_c_library_may_have_that_of_the_recipe(crate):
    variants = 'variants = [{ name = "a" }, { name = "b", libc = "recipe" }]'
    bareboat(crate, f'libc = "none"\n{variants}')
    assert [sample.libc for sample in load_crates(crate)] == ["none", "none", None]
    bareboat(crate, variants)
    assert [sample.libc for sample in load_crates(crate)] == [None, None, None]


def test_the_environment_of_a_crate_is_read_in_order_and_is_its_variants_too(crate):
    bareboat(crate, 'env = { RUST_LOG = "info", LISTEN = "0.0.0.0:80" }\nvariants = [{ name = "a" }]')
    assert {sample.env for sample in load_crates(crate)} == {(("LISTEN", "0.0.0.0:80"), ("RUST_LOG", "info"))}


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("{ lower = 'x' }", "lower"),
        ("{ A = 'x\\ny' }".replace("'", '"'), "A"),
        ("{ A = 3 }", "A"),
        ("3", "env"),
    ],
)
def test_a_wrong_environment_is_named(crate, env, said):
    with pytest.raises(SampleError, match=rf"package\.metadata\.bareboat: env.*{said}|bareboat: {said}"):
        bareboat(crate, f"env = {env}")


def test_a_crate_is_the_users_own_and_a_sample_is_not(crate):
    manifest = crate / "Cargo.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + VARIANTS, encoding="utf-8")
    assert [sample.own for sample in load_crates(crate)] == [True] * 3
    assert [sample.own for sample in load_samples(crate.parent)] == [False] * 3


@pytest.mark.parametrize("metadata", ["metadata = 3", '[package.metadata.docs]\nx = "y"'])
def test_metadata_of_others_is_theirs(crate, metadata):
    (crate / "Cargo.toml").write_text(f'[package]\nname = "app"\n{metadata}\n', encoding="utf-8")
    assert load_crate(crate).expectations == (AS_IT_STANDS,)


def test_all_of_an_expectation_is_read(crate):
    edit(
        crate / "Cargo.toml",
        "stdout =",
        'arguments = ["--once", "two words"]\nexit_code = 3\ntimeout_seconds = 2\nstdout =',
    )
    assert load_crate(crate).expectations[0] == Expectation(
        arguments=("--once", "two words"), stdout="Hello, world!\n", exit_code=3, timeout_seconds=2.0
    )


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("my-app", "my-app"),
        ("MyApp", "myapp"),
        ("hello_world.rs", "hello_world.rs"),
        ("a__b", "a-b"),
        ("-x-", "x"),
        ("été", "t"),
        ("文", "crate"),
    ],
)
def test_a_sample_is_called_as_an_image_may_be(crate, package, name):
    (crate / "Cargo.toml").write_text(f'[package]\nname = "{package}"\ndefault-run = "x"\n', encoding="utf-8")
    assert load_crate(crate).name == name


def test_a_crate_is_called_by_its_package_whatever_its_folder_is_called_and_wherever_one_stands(crate, monkeypatch):
    elsewhere = crate.rename(crate.parent / "My App")
    monkeypatch.chdir(elsewhere)
    sample = load_crate(Path())
    assert (sample.name, sample.folder) == ("hello-world", elsewhere)


def test_samples_have_names_of_their_own(crate):
    shutil.copytree(crate, crate.parent / "hello-again")
    with pytest.raises(SampleError) as caught:
        load_samples(crate.parent)
    assert str(caught.value) == (
        "samples/hello-world/Cargo.toml: package.name: there is another sample 'hello-world', samples/hello-again"
    )


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ('stdout = 3\nexit_code = "0"\n#', r"expect\.stdout: input should be a valid string, not 3"),
        ("timeout_seconds = 0\nstdout =", r"expect\.timeout_seconds: input should be greater than 0"),
        ("timeout_seconds = nan\nstdout =", r"expect\.timeout_seconds: "),
        ('arguments = "--once"\nstdout =', r"expect\.arguments: input should be a valid array"),
        ("[package.metadata.bareboat.expcet]\nstdout =", r"bareboat: expcet: unknown key \(did you mean 'expect'\?\)"),
        ("stout =", r"expect\.stout: unknown key \(did you mean 'stdout'\?\)"),
        ('exit_code = "0"\nstdout =', r"expect\.exit_code: input should be a valid integer"),
        ("exit_code = 256\nstdout =", r"expect\.exit_code: input should be less than or equal to 255"),
    ],
)
def test_a_wrong_expectation_is_named(crate, new, said):
    edit(crate / "Cargo.toml", "stdout =", new)
    with pytest.raises(SampleError, match=said):
        load_crate(crate)


def write(path):
    path.parent.mkdir()
    path.touch()


def test_the_digest_is_that_of_the_sources_alone(crate):
    before = load_crate(crate).digest
    for name in ("target", ".git"):
        (crate / name).mkdir()
        (crate / name / "x").write_text("x", encoding="utf-8")
    assert load_crate(crate).digest == before
    seen = {before}
    changes = (
        lambda: edit(crate / "src" / "main.rs", "Hello", "Hallo"),
        lambda: (crate / "src" / "main.rs").chmod(0o755),
        (crate / "src" / "new.rs").touch,
        lambda: (crate / "src" / "new.rs").rename(crate / "src" / "newer.rs"),
        lambda: write(crate / "src" / "target" / "mod.rs"),
    )
    for change in changes:
        change()
        digest = load_crate(crate).digest
        assert digest not in seen
        seen.add(digest)


def test_the_digest_is_the_same_wherever_the_crate_lies(crate, tmp_path):
    copy = shutil.copytree(crate, tmp_path / "elsewhere")
    assert load_crate(copy).digest == load_crate(crate).digest


@pytest.mark.parametrize("between", [b"", b"src/z", b"src/z\0-\0", b"src/z\0-\0\0"])
def test_the_digest_tells_one_file_from_two_that_hold_the_same(crate, between):
    first, second = crate / "src" / "y", crate / "src" / "z"
    first.write_bytes(b"1" + between + b"2")
    digest_of_one_file = load_crate(crate).digest
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    assert load_crate(crate).digest != digest_of_one_file


@pytest.mark.parametrize("target", ["src", "src/main.rs", "nowhere"])
def test_a_link_counts_by_where_it_points(crate, target):
    link = crate / "link"
    link.symlink_to("Cargo.toml")
    before = load_crate(crate).digest
    link.unlink()
    link.symlink_to(target)
    digest = load_crate(crate).digest
    link.unlink()
    assert len({before, digest, load_crate(crate).digest}) == 3


def test_crates_of_a_registry_are_needed_when_the_lock_says_so(crate):
    lock = crate / "Cargo.lock"
    text = lock.read_text(encoding="utf-8")
    lock.write_text(f'{text}\n[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+x"\n', encoding="utf-8")
    assert load_crate(crate).needs_crates


def test_the_binary_is_the_one_that_cargo_run_would_take(crate):
    manifest = crate / "Cargo.toml"
    manifest.write_text(
        manifest.read_text(encoding="utf-8") + '\n[[bin]]\nname = "one"\npath = "x"\n', encoding="utf-8"
    )
    assert load_crate(crate).binary == "one"
    manifest.write_text(
        manifest.read_text(encoding="utf-8") + '\n[[bin]]\nname = "other"\npath = "y"\n', encoding="utf-8"
    )
    assert load_crate(crate).binary == "one"
    edit(manifest, "[package]", '[package]\ndefault-run = "two"')
    assert load_crate(crate).binary == "two"


VARIANTS = """
[[package.metadata.bareboat.variants]]
name = "small"
cargo = { profile = "small" }
recipes = ["scratch-musl"]

[[package.metadata.bareboat.variants]]
name = "openssl"
cargo = { features = ["tls-openssl", "dns"], default_features = false }
with = { "scratch-*" = ["openssl"] }
expect = { stdout = "other\\n" }
expect_failure."alpine*" = { why = "no OpenSSL there", says = 'OpenSSL .* not found' }
"""


def test_a_variant_is_a_sample_of_its_own(crate):
    manifest = crate / "Cargo.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + VARIANTS, encoding="utf-8")
    plain, small, openssl = load_samples(crate.parent)
    assert [sample.name for sample in (plain, small, openssl)] == [
        "hello-world",
        "hello-world+small",
        "hello-world+openssl",
    ]
    assert {sample.crate for sample in (plain, small, openssl)} == {"hello-world"}
    assert plain.cargo.options == ("--profile", "release")
    assert (small.cargo.options, small.recipes) == (("--profile", "small"), ("scratch-musl",))
    assert small.expectations == plain.expectations
    assert openssl.cargo == Cargo(features=("tls-openssl", "dns"), default_features=False)
    assert openssl.cargo.options[2:] == ("--no-default-features", "--features", "tls-openssl,dns")
    assert openssl.expectations[0].stdout == "other\n"
    assert (openssl.provisions, openssl.expect_failure) == (
        (("scratch-*", ("openssl",)),),
        (("alpine*", ExpectedFailure(why="no OpenSSL there", says="OpenSSL .* not found")),),
    )


def test_two_variants_of_one_name_are_told(crate):
    manifest = crate / "Cargo.toml"
    text = manifest.read_text(encoding="utf-8") + VARIANTS.replace('"openssl"', '"small"', 1)
    manifest.write_text(text, encoding="utf-8")
    with pytest.raises(SampleError, match="each of `variants` has a name of its own"):
        load_samples(crate.parent)


@pytest.mark.parametrize("text", ["package = 3", 'package = ["x"]', "package = {}", "[[package]]\nsource = 3\n"])
def test_a_lock_that_is_no_lock_is_cargos_to_tell(crate, text):
    (crate / "Cargo.lock").write_text(text, encoding="utf-8")
    assert load_crate(crate).needs_crates == ("source" in text)


@pytest.mark.parametrize(
    "text",
    [
        'bin = 3\n[package]\nname = "a"',
        'bin = ["x"]\n[package]\nname = "a"',
        '[bin]\nname = "b"\n[package]\nname = "a"',
        '[package]\nname = "a"\ndescription = { workspace = true }',
        '[package]\nname = "a"\ndefault-run = 3',
        '[package]\nname = "a"\nmetadata = { date = 2026-01-01, big = 0x' + "f" * 9999 + " }",
    ],
    ids=range(6),
)
def test_what_cargo_would_refuse_is_cargos_to_tell(crate, text):
    (crate / "Cargo.toml").write_text(text, encoding="utf-8")
    sample = load_crate(crate)
    assert (sample.binary, sample.summary) == ("a", "")


def test_a_description_is_shown_in_one_line(crate):
    (crate / "Cargo.toml").write_text('[package]\nname = "a"\ndescription = "one\\n  two\\n"', encoding="utf-8")
    assert load_crate(crate).summary == "one two"


@pytest.mark.parametrize(
    ("more", "alone"),
    [
        ("", True),
        ('[dependencies]\nitoa = "1"\n', True),
        ('[dependencies]\nmine = { path = "../mine" }\n', False),
        ("[workspace]\n", False),
        ('[patch.crates-io]\nitoa = { git = "https://example.com/itoa" }\n', False),
    ],
)
def test_manifest_and_lock_are_enough_to_fetch_where_no_folder_is_named(crate, more, alone):
    manifest = crate / "Cargo.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert load_crate(crate).stands_alone == alone


def test_arguments_are_those_of_a_run_that_is_left_to_itself(crate):
    manifest = '[package]\nname = "app"\n[package.metadata.bareboat]\narguments = ["a", "b c"]\n'
    (crate / "Cargo.toml").write_text(manifest, encoding="utf-8")
    assert load_crate(crate).expectations == (replace(AS_IT_STANDS, arguments=("a", "b c")),)
    (crate / "Cargo.toml").write_text(f"{manifest}expect = {{}}\n", encoding="utf-8")
    with pytest.raises(SampleError, match=r"the arguments are `expect\.arguments`"):
        load_crate(crate)


def test_a_crate_may_say_how_it_is_compiled(crate):
    said = '[package.metadata.bareboat.cargo]\nfeatures = ["a"]\nprofile = "small"\n'
    (crate / "Cargo.toml").write_text(f'[package]\nname = "app"\n{said}', encoding="utf-8")
    assert load_crate(crate).cargo == Cargo(features=("a",), profile="small")


SERVICE = "service = { port = 8080, ready = '/healthz', environment = { A = 'b' }, stop_seconds = 1.5, network = true }"


def test_what_a_service_must_do_is_its_plain_run(crate):
    sample = bareboat(crate, SERVICE)
    serving = Serving(port=8080, ready="/healthz", environment={"A": "b"}, stop_seconds=1.5, network=True)
    assert sample.expectations == (Served(serving=serving, network=True),)
    (run,) = sample.expectations
    assert (run.is_open, run.environment, sample.service, sample.env) == (True, {"A": "b"}, False, ())
    assert hash(sample) == hash(bareboat(crate, SERVICE))


def test_a_service_of_which_nothing_is_said_must_serve(crate):
    assert bareboat(crate, "[package.metadata.bareboat.service]").expectations == (Served(serving=Serving()),)


def test_a_services_arguments_and_those_of_other_runs_are_theirs(crate):
    sample = bareboat(crate, "service = { arguments = ['serve'] }\nalso = [{ name = 'v', arguments = ['-V'] }]")
    plain, other = sample.expectations
    assert (plain.arguments, other.arguments) == (("serve",), ("-V",))
    assert (plain.environment, other.environment, other.is_open) == ({}, {}, False)


def test_a_variant_of_a_service_is_one(crate):
    bareboat(crate, f"{SERVICE}\nvariants = [{{ name = 'a' }}]")
    plain, variant = load_crates(crate)
    assert plain.expectations == variant.expectations


def test_a_reverse_proxy_is_held_to_the_probes_and_its_plain_run_is_as_it_was(crate):
    sample = bareboat(crate, "service = true\nexpect = { arguments = ['--check'] }")
    assert (sample.service, sample.expectations) == (True, (Expectation(arguments=("--check",)),))
    assert (bareboat(crate, "service = false").expectations, bareboat(crate, "").service) == ((AS_IT_STANDS,), False)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("{ prot = 80 }", "service.prot: unknown key (did you mean 'port'?)"),
        ("{ Ready = '/' }", "service.Ready: unknown key (did you mean 'ready'?)"),
        ("{ port = 0 }", "service.port: input should be greater than or equal to 1, not 0"),
        ("{ port = 65536 }", "service.port: input should be less than or equal to 65535, not 65536"),
        ("{ port = '80' }", "service.port: input should be a valid integer, not '80'"),
        ("{ ready = 'healthz' }", "service.ready: 'healthz' does not have the form"),
        ("{ ready = '/a b' }", "service.ready: '/a b' does not have the form"),
        ("{ stop_seconds = 0 }", "service.stop_seconds: input should be greater than 0, not 0"),
        ("{ stop_seconds = 601 }", "service.stop_seconds: input should be less than or equal to 600, not 601"),
        ("{ environment = { port = '1' } }", "service.environment.port.[key]: 'port' does not have the form"),
        ("{ environment = { PORT = 1 } }", "service.environment.PORT: input should be a valid string, not 1"),
        ("{ arguments = 'x' }", "service.arguments: "),
        ("{ network = 'yes' }", "service.network: input should be a valid boolean, not 'yes'"),
        ("3", "service: is a table with keys (arguments, environment, network, port, ready, stop_seconds), not 3"),
        ("{}\nexpect = {}", "a service is expected to serve, and `expect` has it end: another run is one of `also`"),
        ("{}\nvariants = [{ name = 'a', expect = {} }]", "a service is expected to serve, and `expect` has it end"),
        ("{}\narguments = ['a']", "of a service the arguments are `service.arguments`"),
    ],
)
def test_a_wrong_service_is_told_by_its_key(crate, service, said):
    with pytest.raises(SampleError) as caught:
        bareboat(crate, f"service = {service}")
    (line,) = str(caught.value).splitlines()
    assert line.partition("package.metadata.bareboat: ")[2].startswith(said)


def test_every_problem_of_a_service_is_told(crate):
    with pytest.raises(SampleError) as caught:
        bareboat(crate, "service = { port = 0, redy = '/' }\nservce = true")
    told = (line.partition("package.metadata.bareboat: ")[2] for line in str(caught.value).splitlines())
    assert sorted(line.partition(":")[0] for line in told) == ["servce", "service.port", "service.redy"]


def test_a_network_is_given_to_one_run_to_all_or_to_none(crate):
    also = "also = [{ name = 'a', network = true }, { name = 'b' }]"
    assert [run.network for run in bareboat(crate, also).expectations] == [False, True, False]
    assert [run.network for run in bareboat(crate, f"network = true\n{also}").expectations] == [True, True, True]
    assert [run.network for run in bareboat(crate, f"{SERVICE}\n{also}").expectations] == [True, True, False]
    given = give_network(load_crates(crate))
    assert [run.network for sample in given for run in sample.expectations] == [True, True, True]
    assert {type(run) for run in given[0].expectations} == {Served, Expectation}
