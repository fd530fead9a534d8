"""The judgement of a long run."""

from compare import windows


def window(number, p99=100.0, stolen_ms=0.0, memory=20.0):
    return {"second": number * 10.0, "p99": p99, "stolen_ms": stolen_ms, "memory": memory}


def calm(count=60):
    return [window(number) for number in range(count)]


def test_a_calm_run_passes():
    verdict, text = windows.latency_verdict(calm())
    assert verdict == "passed"
    assert text.startswith("0 of 60 windows have a p99 above 500 µs")


def test_five_times_the_median_is_allowed_and_more_is_not():
    assert windows.latency_verdict([*calm(), window(60, p99=500.0)])[0] == "passed"
    assert windows.latency_verdict([*calm(), window(60, p99=501.0)])[0] == "failed"


def test_a_slow_window_is_excluded_only_if_more_than_a_millisecond_was_stolen():
    at_limit = [*calm(), window(60, p99=900.0, stolen_ms=1.0)]
    assert windows.excluded(at_limit) == []
    assert windows.latency_verdict(at_limit)[0] == "failed"
    above = [*calm(), window(60, p99=900.0, stolen_ms=1.1)]
    assert windows.excluded(above) == above[-1:]
    verdict, text = windows.latency_verdict(above)
    assert verdict == "passed"
    assert text.startswith("1 of 61 windows") and "1 of them excluded" in text


def test_stolen_time_alone_excludes_nothing():
    assert windows.excluded([window(number, stolen_ms=50.0) for number in range(60)]) == []


def test_one_excluded_window_does_not_excuse_another():
    run = [*calm(), window(60, p99=900.0, stolen_ms=9.0), window(61, p99=900.0)]
    assert windows.latency_verdict(run)[0] == "failed"


def test_more_than_a_tenth_excluded_voids_the_run():
    stolen = [window(number, p99=900.0, stolen_ms=5.0) for number in range(10)]
    assert windows.latency_verdict([*calm(90), *stolen])[0] == "passed"
    assert windows.latency_verdict([*calm(89), *stolen])[0] == "void"


def test_memory_that_grows_after_the_fifth_minute_fails():
    grown = [window(number, memory=20 + number / 10) for number in range(180)]
    assert windows.memory_verdict(grown)[0] == "failed"


def test_memory_that_grows_before_the_fifth_minute_passes():
    settled = [window(number, memory=20.0 + min(number, 30)) for number in range(180)]
    assert windows.memory_verdict(settled)[0] == "passed"


def test_what_a_slow_subscriber_holds_may_come_and_go():
    waves = [window(number, memory=20.0 + number % 14) for number in range(180)]
    assert windows.memory_verdict(waves)[0] == "passed"


def test_a_short_run_says_nothing_of_memory():
    assert windows.memory_verdict(calm(50))[0] == "not checked"
