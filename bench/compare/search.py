"""The highest rate that a system keeps up, found in few tries. Nothing here measures."""

from . import figures

# Where the first search starts, and by what it goes up or down until it has gone too far; later
# ones start where an earlier one ended, and need not go far.
RATE_FIRST, FACTOR_FIRST, FACTOR_LATER = 10_000, 2.0, 1.15
# A try in which the generator was late is made again, at most so often.
TRIES_MOST = 3


def highest(works, start, factor=2.0, precision=0.05, least=1_000, most=2_000_000):
    """The highest number for which `works` holds, to within `precision` of it; None if it does not
    for `least`. From `start` it goes up or down by `factor`, and then halves what is between."""
    low, high = None, None
    number = min(max(start, least), most)
    while low is None or high is None:
        if works(number):
            low = number
            if number >= most:
                return number
            number = min(number * factor, most) if high is None else number
        else:
            high = number
            if number <= least:
                return None
            number = max(number / factor, least) if low is None else number
    while high / low > 1 + precision:
        middle = (low * high) ** 0.5
        if works(middle):
            low = middle
        else:
            high = middle
    return low


def highest_run(run, most, known=None):
    """The run at the highest rate that is sustained, up to `most`; or at the lowest that was tried,
    as a failed one. `run` makes one at a rate, and `known` is what an earlier search has found."""
    tries = {}

    def works(rate):
        for _ in range(TRIES_MOST):
            tries[rate] = run(round(rate))
            if figures.state(tries[rate]) != figures.VOID:
                break
        return figures.sustains(tries[rate])
    rate = highest(
        works, known or RATE_FIRST, factor=FACTOR_LATER if known else FACTOR_FIRST, most=most)
    if rate is None:
        return {**tries[min(tries)], "error": "no rate is sustained"}
    limited = rate >= most or any(
        figures.state(found) not in (figures.VALID, figures.FAILED)
        for tried, found in tries.items() if tried > rate)
    return {**tries[rate], "tries": len(tries),
            **({"limited_by": "generator"} if limited else {})}
