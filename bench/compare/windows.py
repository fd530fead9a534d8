"""Judges a long run by its windows. Nothing here measures."""

import statistics

P99_FACTOR_MAX = 5
STOLEN_MS_MIN = 1
EXCLUDED_SHARE_MAX = 0.1
# Memory is judged from here on, by the peaks of two halves: what a slow subscriber holds comes and
# goes within minutes.
SETTLED_SECONDS = 300
JUDGED_SECONDS_MIN = 240
GROWTH_FACTOR_MAX = 1.05
GROWTH_MIB_MIN = 2


def p99_limit(windows):
    return P99_FACTOR_MAX * statistics.median(window["p99"] for window in windows)


def too_slow(windows):
    limit = p99_limit(windows)
    return [window for window in windows if window["p99"] > limit]


def excluded(windows):
    """Of the windows that are too slow, those in which the machine took more than a millisecond."""
    return [window for window in too_slow(windows) if window["stolen_ms"] > STOLEN_MS_MIN]


def latency_verdict(windows):
    """(verdict, how it came about), with the result that leaves nothing out."""
    slow, out = too_slow(windows), excluded(windows)
    text = (
        f"{len(slow)} of {len(windows)} windows have a p99 above {p99_limit(windows):,.0f} µs, "
        f"{P99_FACTOR_MAX} times the median window's; {len(out)} of them excluded, because the "
        f"machine took more than {STOLEN_MS_MIN} ms in each")
    if len(out) > EXCLUDED_SHARE_MAX * len(windows):
        return "void", text
    return ("passed" if len(slow) == len(out) else "failed"), text


def memory_verdict(windows):
    """Whether the peak of the second half after the fifth minute is above that of the first."""
    settled = [window for window in windows if window["second"] >= SETTLED_SECONDS]
    if not settled or settled[-1]["second"] - settled[0]["second"] < JUDGED_SECONDS_MIN:
        minutes = (SETTLED_SECONDS + JUDGED_SECONDS_MIN) / 60
        return "not checked", f"the run is shorter than {minutes:g} minutes"
    middle = len(settled) // 2
    first = max(window["memory"] for window in settled[:middle])
    second = max(window["memory"] for window in settled[middle:])
    grew = second > first * GROWTH_FACTOR_MAX and second > first + GROWTH_MIB_MIN
    text = (
        f"peak {first:.1f} MiB in the first half after the fifth minute, {second:.1f} in the "
        "second")
    return ("failed" if grew else "passed"), text
