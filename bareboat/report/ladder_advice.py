"""Says by which step of the ladder a program should be compiled, of those that it passes, and what that costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bareboat.report.ladder import Ladder, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Which steps to take on one recipe; None of what there is none that is smaller than the ones before."""

    ladder: Ladder
    # The one to take: of a stable compiler and for production, unless steps were named.
    best: Rung | None
    # The one to take where the compiler need not be stable.
    unstable: Rung | None
    # The smallest of all that the program passes.
    smallest: Rung | None


def advise(ladder: Ladder, *, named: bool) -> Advice:
    """What to take of a ladder; `named` is whether its steps were named, and are wanted whatever they cost."""
    passed = [rung for rung in ladder.rungs[1:] if ladder.passes(rung)]
    plain = ladder.rungs[0] if ladder.passes(ladder.rungs[0]) else None
    best = _smaller(passed, plain, lambda rung: named or (rung.step.cargo.is_stable and rung.step.production))
    unstable = _smaller(passed, best or plain, lambda rung: rung.step.production)
    smallest = _smaller(passed, unstable or best or plain, lambda _: True)
    return Advice(ladder=ladder, best=best, unstable=unstable, smallest=smallest)


def _smaller(rungs: Iterable[Rung], than: Rung | None, fit: Callable[[Rung], bool]) -> Rung | None:
    """The smallest that is fit, and smaller than another; of two that are as small the one that costs less."""
    if than is None:
        return None
    found = min((rung for rung in rungs if fit(rung)), key=_size, default=than)
    return found if _size(found) < _size(than) else None


def _size(rung: Rung) -> float:
    return float("inf") if rung.size_bytes is None else rung.size_bytes


def advice_lines(advice: Advice) -> Iterator[str]:
    """The advice in lines, what is to be taken first."""
    ladder, plain, best = advice.ladder, advice.ladder.rungs[0], advice.best
    if not ladder.passes(plain):
        yield f"{printable(ladder.recipe)}: it does not pass as it is, so its steps tell nothing."
        return
    if best:
        less = (plain.size_bytes or 0) - (best.size_bytes or 0)
        share = f"{100 * less / (plain.size_bytes or 1):.0f} %"
        yield f"{printable(ladder.recipe)}: take {_named(best)}, {less:,} ({share}) fewer than as it is."
        yield from _costs("It costs", best, None)
    else:
        yield f"{printable(ladder.recipe)}: leave it as it is; no step that may be taken is smaller and passes."
    for rung, before, words in (
        (advice.unstable, best, "With an unstable compiler"),
        (advice.smallest, advice.unstable or best, "For records alone"),
    ):
        if rung:
            yield f"    {words}: {_named(rung)}; `--step {rung.step.name}` says how."
            yield from _costs("It costs besides", rung, before)


def _named(rung: Rung) -> str:
    return f"{rung.step.name}, {rung.size_bytes:,} bytes"


def _costs(words: str, rung: Rung, before: Rung | None) -> Iterator[str]:
    known = {step.costs for step in before.path} if before else set()
    costs = [step.costs for step in rung.path if step.costs and step.costs not in known]
    if costs:
        yield f"    {words}: {'; '.join(dict.fromkeys(costs))}."
