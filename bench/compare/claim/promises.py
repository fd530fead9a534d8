"""What is promised, and what became of it. Nothing here measures.

The promises are those of docs/PERFORMANCE.md: a rate that is sustained, no allocations, short turns,
and the goals beside nats-server in bench/goals.json.
"""

import dataclasses

from .. import figures, goals
from ..goals import MET, MISSED, OPEN
from ..systems import MARTLET, PINNED
from ..table import NAMES, number, spread
from .counting import THREAD_CLOCK, WALL_CLOCK
from .workload import RATE, WORKLOAD

# What cannot be measured here, through no fault of anybody's.
LEFT_OUT = "left out"
TURN_US_MOST = 500


@dataclasses.dataclass(frozen=True)
class Finding:
    verdict: str
    promise: str
    seen: str


def exit_status(findings):
    """1 if something was not measured that could have been. A promise that is missed is an answer."""
    return int(any(finding.verdict == OPEN for finding in findings))


def findings(runs, counts, beside, left_out):
    return [
        sustained(figures.select(runs, system=MARTLET)), no_allocations(counts),
        short_turns(counts), *(
            finding for name in beside
            for finding in beside_peer(runs, name, missing(name, left_out)))]


def missing(name, left_out):
    """What was said of a system that is not installed."""
    return next((text for text in left_out if text.startswith(f"{name},")), None)


def judged(promise, is_met, seen):
    return Finding(MET if is_met else MISSED, promise, seen)


def failed(runs):
    """Why a run failed, if one did."""
    reasons = (figures.why_not(run) for run in runs if figures.state(run) == figures.FAILED)
    return next(reasons, None)


def sustained(runs):
    promise = (
        f"{figures.RATE_SHARE_MIN * 100:.0f} % of {RATE:,} requests/s arrive, none is lost, "
        f"p99 is below {figures.P99_MAX_US // 1_000} ms")
    failure = failed(runs)
    if failure:
        return Finding(OPEN, promise, failure)
    kept = figures.kept_up(runs)
    if kept is None:
        return Finding(OPEN, promise, f"no round counts: {figures.states(runs)}")
    valid = [run for run in runs if figures.state(run) == figures.VALID]
    seen = f"in {sum(map(figures.sustains, valid))} of {kept.count} rounds that count"
    return judged(promise, kept.least == 1, seen)


def no_allocations(counts):
    promise = "no allocation for a message"
    if counts.no_allocations:
        return Finding(LEFT_OUT, promise, counts.no_allocations)
    reasons = [reason for reason in map(why_not, counts.by_clock.values()) if reason]
    valid = [run for run in counts.by_clock.values() if not why_not(run)]
    calls, messages = (
        sum(getattr(run, name) for run in valid) for name in ("allocations", "messages"))
    if not messages:
        return Finding(OPEN, promise, "; ".join(reasons) or "no message arrived")
    return judged(
        promise, calls == 0,
        f"{calls:,} calls in {messages:,} requests, {calls * 1_000 / messages:.3g} per 1,000")


def why_not(run):
    """Why a run that counts says nothing, or None: it failed, or it is void."""
    return run if isinstance(run, str) else run.void


def short_turns(counts):
    promise = f"no turn of the loop over {TURN_US_MOST} µs of its thread's own time"
    run, wall = counts.by_clock[THREAD_CLOCK], counts.by_clock[WALL_CLOCK]
    if isinstance(run, str):
        return Finding(OPEN, promise, run)
    seen = f"the longest {number(run.longest_turn_us)} µs, {usual(run.turns)}"
    if not isinstance(wall, str):
        seen += f"; by the clock on the wall {number(wall.longest_turn_us)} µs, {usual(wall.turns)}"
    if run.void:
        return Finding(OPEN, promise, f"{run.void}; {seen}")
    return judged(promise, run.longest_turn_us <= TURN_US_MOST, seen)


def usual(turns):
    """Up to what 99.9 % of the turns took, from how many took up to 1, 2, 4 … µs and longer."""
    seen = 0
    for bucket, turn_count in enumerate(turns[:-1]):
        seen += turn_count
        if seen >= 0.999 * sum(turns):
            return f"99.9 % up to {1 << bucket:,} µs"
    return f"over 0.1 % more than {1 << (len(turns) - 2):,} µs"


def beside_peer(runs, name, absent):
    """The goals beside another system, of which there may be none; or why it was not measured."""
    wanted = [
        goal for goal in goals.load()["compare"]
        if (goal.workload, goal.system, goal.beside) == (WORKLOAD.name, MARTLET, name)
        and goal.mode == PINNED]
    if absent:
        return [Finding(LEFT_OUT, f"beside {name}", absent)]
    failure = failed(figures.select(runs, system=name))
    if failure:
        return [Finding(OPEN, f"beside {name}", failure)]
    return [goal_finding(goal, runs) for goal in wanted]


def goal_finding(goal, runs):
    figure = NAMES.get(goal.figure, goal.figure).format(unit="request")
    promise = f"{figure} {goal.text} of {goal.beside}'s"
    outcome = goal.outcome(runs)
    if outcome is None:
        both = "; ".join(
            f"{name} {figures.states(goal.runs(runs, name))}" for name in (goal.system, goal.beside))
        return Finding(OPEN, promise, f"no round counts: {both}")
    return Finding(
        goal.verdict(outcome), promise, f"{spread(outcome)} in {outcome.count} rounds")
