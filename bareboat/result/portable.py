"""Takes out of a result what is of the machine or of the moment, and nobody else's business: it may be committed. Pure.

Only free text is changed, such as a reason or what a program wrote; names, keys and figures stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.result.values import Failed, Skipped
from bareboat.system.redact import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bareboat.result.values import Outcome, Result

# Since 1.91 the standard library tells the thread's number in the system: "thread 'main' (4711) panicked at".
_THREAD = re.compile(r"(\bthread '[^'\n]*') \(\d+\)(?= (?:panicked|has overflowed))")


def portable(result: Result, places: Mapping[str, str]) -> Result:
    """The result without secrets, without numbers of threads, and with other names for `places`: a path -> its name.

    Of places one in another, the inner one's name is taken.
    """
    rename = _renaming(places)

    def clean(text: str) -> str:
        return _THREAD.sub(r"\1", rename(without_secrets(text)))

    preflight, ran = result.preflight, result.ran
    return replace(
        result,
        outcome=_clean_outcome(result.outcome, clean),
        preflight=preflight and replace(preflight, why=clean(preflight.why), said=clean(preflight.said)),
        ran=ran and replace(ran, said=clean(ran.said)),
        measurements=tuple(replace(taken, why=clean(taken.why)) for taken in result.measurements),
        probes=tuple(replace(probe, observed=clean(probe.observed)) for probe in result.probes),
    )


def _clean_outcome(outcome: Outcome, clean: Callable[[str], str]) -> Outcome:
    match outcome:
        case Failed():
            return replace(outcome, reason=clean(outcome.reason), detail=clean(outcome.detail))
        case Skipped():
            return replace(outcome, reason=clean(outcome.reason))
        case _:
            return outcome


def _renaming(places: Mapping[str, str]) -> Callable[[str], str]:
    # The root of all files is part of every path, and no place.
    known = {path.rstrip("/"): name for path, name in places.items() if path.strip("/")}
    if not known:
        return str
    paths = "|".join(re.escape(path) for path in sorted(known, key=len, reverse=True))
    # A name that only begins with a place's is another's: /home/me-too is not in /home/me.
    pattern = re.compile(rf"(?<![\w.-])(?:{paths})(?![\w-]|\.\w)")
    return lambda text: pattern.sub(lambda match: known[match[0]], text)
