"""What a program's own words tell of what it lacks: messages as Rust crates and the C libraries write them."""

from __future__ import annotations

from functools import partial

import pytest

from bareboat.check import causes
from bareboat.check.causes import _CAUSES, find_asker, find_panic
from tests.unit.project import BOOK

find_cause = partial(causes.find_cause, has=lambda _: False)

CERTIFICATES = [
    # rustls, by way of reqwest
    "error trying to connect: invalid peer certificate: UnknownIssuer",
    "Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }",
    # openssl
    "error:0A000086:SSL routines::certificate verify failed:ssl/statem/statem_clnt.c:1890:",
    "(unable to get local issuer certificate)",
    # hyper-rustls
    "no native root CA certificates found",
    "called `Result::unwrap()` on an `Err` value: no valid native root CA certificates found (0 invalid)",
    # rustls-platform-verifier
    'General("No CA certificates were loaded from the system")',
    # rustls' own examples
    'could not load platform certs: Os { code: 2, kind: NotFound, message: "No such file or directory" }',
    # webpki, where its store is empty
    "unexpected error: no trust anchors",
]
ZONES = [
    # jiff
    "failed to find time zone `Europe/Paris` in time zone database",
    "failed to find system time zone",
    # tzfile and tz-rs
    'Error: could not open /usr/share/zoneinfo/Europe/Rome: Os { code: 2, kind: NotFound, message: "" }',
    "Error: timezone Europe/Rome not found",
]
TEMPORARY = [
    # tempfile
    'Custom { kind: NotFound, error: PathError { path: "/tmp/.tmpUz5A0E", err: Os { code: 2, kind: NotFound } } }',
    'Error: No such file or directory (os error 2) at path "/tmp/.tmp4Mh0wT"',
    # std, with the path that its caller adds
    "cannot write '/tmp/state': No such file or directory (os error 2)",
]
USER = [
    # id(1), of GNU and of uutils
    "id: cannot find name for user ID 65532",
    "getpwuid_r failed: No such file or directory",
    "user 65532 not found in passwd",
]
NETWORK = [
    # std, with glibc and with musl
    "failed to lookup address information: Temporary failure in name resolution",
    "failed to lookup address information: Try again",
    # hyper
    "client error (Connect): dns error: task 12 panicked",
    # hickory
    'no record found for Query { name: Name("example.com."), query_type: A, query_class: IN }',
    # curl
    "[6] Couldn't resolve host name (Could not resolve host: example.com)",
    # std
    'Os { code: 101, kind: NetworkUnreachable, message: "Network is unreachable" }',
    "Error: Network is unreachable (os error 101)",
]
WRITING = ['Os { code: 30, kind: ReadOnlyFilesystem, message: "Read-only file system" }', "open: (os error 30)"]
TABLE = {
    "certs": CERTIFICATES,
    "tz": ZONES,
    "tmp": TEMPORARY,
    "user": USER,
    "a network": NETWORK,
    "a place to write": WRITING,
}


@pytest.mark.parametrize(("cause", "said"), [(cause, said) for cause, table in TABLE.items() for said in table])
def test_what_a_program_lacks_is_told_from_its_words(cause, said):
    found = find_cause(f"starting\n{said}\nstopping\n")
    assert found is not None
    assert cause == found.provision or (not found.provision and found.lacks.startswith(cause))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Error: No such file or directory (os error 2)",
        "Error: config.toml: No such file or directory (os error 2)",
        "Error: invalid digit found in string",
        "Error: Connection refused (os error 111)",
        "Error: Permission denied (os error 13)",
        "Error: Address already in use (os error 98)",
        "Error: relative URL without a base",
        "Error: EOF while parsing a value at line 1 column 0",
        "Error: environment variable not found",
        "Error: no records found in the table",
        "Error: user 7 not found",
        'Error: cannot read "/tmp/input": Permission denied (os error 13)',
        # Of several lines, no two make a cause.
        "using /tmp/state\nError: No such file or directory (os error 2)",
        "the time zone is UTC\nError: failed",
        'Error: Custom { kind: InvalidInput, error: "os error 301" }',
    ],
)
def test_an_ordinary_error_is_no_cause(said):
    assert find_cause(said) is None


@pytest.mark.parametrize("before", ["", "thread 'main' panicked at src/main.rs:1:1:\n", "path=", "(", "`", '"', " "])
def test_a_folder_for_temporary_files_is_known_wherever_it_is_named(before):
    assert find_cause(f"{before}/tmp/x: No such file or directory (os error 2)").provision == "tmp"
    assert find_cause(f"{before}/var/tmp/x: No such file or directory (os error 2)") is None


@pytest.mark.parametrize("heading", ["Usage:", "USAGE:", "usage:", "    Usage:"])
def test_a_usage_that_names_everything_is_no_cause(heading):
    options = "\n".join(f"  --option  {said}" for table in TABLE.values() for said in table)
    assert find_cause(f"error: too few arguments\n\n{heading} app [OPTIONS]\n{options}\n") is None
    assert find_cause(f"error: too few arguments\n{options}\n") is not None


def test_a_word_of_usage_within_a_line_hides_no_cause():
    assert find_cause("see usage: the manual\ninvalid peer certificate: UnknownIssuer\n").provision == "certs"


def test_what_brings_it_is_a_provision_that_there_is_and_what_is_lacking_is_one_line():
    named = {cause.provision for cause in _CAUSES if cause.provision}
    assert named == {"certs", "tz", "tmp", "user"}
    assert named <= {provision.name for provision in BOOK.provisions}
    assert all(cause.lacks and "\n" not in cause.lacks for cause in _CAUSES)


@pytest.mark.parametrize(
    "said",
    [
        "Error: libz.so.1: cannot open shared object file: No such file or directory\n",
        'DlOpen { desc: "libz.so.1: cannot open shared object file: No such file or directory" }\n',
        "no: Error loading shared library libz.so.1: No such file or directory\n",
    ],
)
def test_a_library_that_is_loaded_while_it_runs_is_named(said):
    found = find_cause(said)
    assert (found.library, found.provision, found.path) == ("libz.so.1", "", "")
    assert found.lacks == "library libz.so.1, which it loads while it runs"
    assert find_cause(f"Usage: app\n{said}") is None
    assert find_cause(said.replace("libz.so.1", "the key")) is None


NOTE = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
AT = "at src/main.rs:3:24: no config"


@pytest.mark.parametrize(
    ("said", "panic"),
    [
        # std since 1.73, and since 1.91 with the thread's number
        (f"thread 'main' panicked at src/main.rs:3:24:\nno config\n{NOTE}", AT),
        (f"\nthread 'main' (4711) panicked at src/main.rs:3:24:\nno config\n{NOTE}", AT),
        (f"\nthread '<unnamed>' panicked at src/main.rs:3:24:\nno config\n{NOTE}", AT),
        (f"started\nthread 'tokio-runtime-worker' panicked at src/main.rs:3:24:\nno config\n{NOTE}", AT),
        (
            "thread 'main' panicked at src/a.rs:1:1:\nassertion `left == right` failed\n  left: 1\n right: 2\n",
            "at src/a.rs:1:1: assertion `left == right` failed",
        ),
        ("thread 'main' panicked at src/main.rs:3:24:", "at src/main.rs:3:24:"),
        # std before
        ("thread 'main' panicked at 'no config', src/main.rs:3:24\n", "at 'no config', src/main.rs:3:24"),
        # The first of several is the cause of the others.
        ("thread 'a' panicked at a.rs:1:1:\none\nthread 'b' panicked at b.rs:1:1:\ntwo\n", "at a.rs:1:1: one"),
    ],
)
def test_a_panic_is_told_in_one_line(said, panic):
    assert find_panic(said) == panic


def test_of_an_older_panic_the_note_is_no_part():
    said = f"thread 'main' panicked at 'no config', src/main.rs:3:24\n{NOTE}"
    assert find_panic(said) == "at 'no config', src/main.rs:3:24"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Error: no config\n",
        "thread 'main' has overflowed its stack\nfatal runtime error: stack overflow\n",
        "we never panicked at all\n",
        "log: thread 'main' panicked at src/main.rs:3:24: said a line of somebody else\n",
    ],
)
def test_what_is_no_panic_is_none(said):
    assert find_panic(said) == ""


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ('cannot read "/tmp/input.csv": No such file or directory (os error 2)', "/tmp"),
        ("unknown time zone Mars/Phobos", "/usr/share/zoneinfo"),
        ("certificate verify failed: certificate has expired", "/etc/ssl/certs/ca-certificates.crt"),
    ],
)
def test_what_the_image_has_is_not_what_the_program_lacks(said, path):
    assert causes.find_cause(said, lambda _: False) is not None
    assert causes.find_cause(said, lambda asked: asked == path) is None


@pytest.mark.parametrize(
    ("said", "crate"),
    [
        ("thread 'main' panicked at /crates/vendor/jiff/src/tz/db.rs:12:5:\nno zone\n", "jiff"),
        (
            "thread 'main' panicked at /crates/vendor/rustls-native-certs-0.8.1/src/lib.rs:1:2:\nx",
            "rustls-native-certs",
        ),
        (
            "thread 'main' panicked at 'x', /home/me/.cargo/registry/src/index.crates.io-1a2b/tz-rs-0.7.0/src/a.rs:3:4",
            "tz-rs",
        ),
        ("thread 'main' panicked at src/main.rs:3:5:\nx\n  at /crates/vendor/jiff/src/a.rs:1:1", ""),
        ("panicked at library/core/src/result.rs:1:2:\nx\n 5: a\n  at /crates/vendor/jiff/src/a.rs:1:1", "jiff"),
        ("Error: nothing", ""),
    ],
)
def test_the_crate_that_panicked_is_told_by_where_its_source_lay(said, crate):
    assert find_asker(said) == crate
