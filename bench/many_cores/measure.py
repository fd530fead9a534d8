"""All runs of a plan, within its time."""

import sys
import time

from . import plan as planning
from .run import run

# A run that hangs may go on for so long after the time that is planned for.
GRACE_SECONDS = 8
RUN_SECONDS_MOST = 10


class Measurement:
    """Runs one after another, each as long as what is left allows."""

    def __init__(self, plan, servers, martlet_load, budget_seconds, begin):
        self.plan = plan
        self.servers = servers
        self.martlet_load = martlet_load
        self.end = begin + budget_seconds
        self.overhead = planning.OVERHEAD_SECONDS
        self.runs = []
        self.left_out = list(plan.left_out)

    def all(self):
        groups = self.plan.groups
        for number, (case, load) in enumerate(groups):
            seconds = planning.seconds_that_count(
                self.end - time.monotonic(), len(groups) - number, self.overhead)
            if seconds is None:
                self.left_out.append(f"{case.text}, {load.name}: time has run out")
                continue
            # In turns, so that neither always runs on the warmer machine.
            order = self.servers if number % 2 == 0 else self.servers[::-1]
            self.group(case, load, order, seconds)

    def group(self, case, load, servers, seconds):
        most = [self.one(server, case, load, seconds) for server in servers]
        rates = [found["rate"] for found in most if found.get("rate")]
        if not rates:
            self.left_out.append(f"{case.text}, {load.name}, at half of the rate: nothing was received")
            return
        for server in servers:
            self.one(server, case, load, seconds, min(rates) / 2)

    def one(self, server, case, load, seconds, rate=None):
        begin = time.monotonic()
        deadline = min(begin + seconds + RUN_SECONDS_MOST, self.end + GRACE_SECONDS)
        found = run(server, case, load, self.martlet_load, planning.WARMUP_SECONDS, seconds, deadline,
                    rate)
        self.runs.append(found)
        if "error" not in found:
            overhead = time.monotonic() - begin - planning.WARMUP_SECONDS - seconds
            self.overhead += (overhead - self.overhead) / 4
        self.say(case, found)
        return found

    @staticmethod
    def say(case, found):
        what = found.get("error") or (
            f"{found['rate']:,.0f}/s, {found['cores']:.2f} cores, p99 {found.get('p99', 0):,.0f} µs")
        step = "most" if found["asked"] is None else "half"
        print(f"{case.text}, {found['load']}, {found['server']}, {step}: {what}",
              file=sys.stderr, flush=True)
