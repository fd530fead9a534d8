"""The four loads: the same connections and as much under way however many processes share them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Load:
    """`senders` of all processes together; each keeps `in_flight` messages under way in a closed loop,
    and each of these is received `copies` times."""
    name: str
    text: str
    command: str
    senders: int
    in_flight: int
    copies: int = 1
    # Processes also send to one another, on the same subjects.
    is_common: bool = False

    def arguments(self, process, count, rate=None):
        """For one of `count` processes; `rate` is what all together have to receive a second, None is
        as fast as it goes."""
        names = {"senders": self.senders // count, "group": count, "member": process}
        prefix = "scale" if self.is_common else f"scale{process}"
        pace = ["--in-flight", str(self.in_flight)] if rate is None else [
            "--rate", f"{rate / self.copies / count:.3f}"]
        return [*self.command.format_map(names).split(), "--prefix", prefix, *pace]


LOADS = (
    Load("pairs", "pub/sub, 64 publishers with one subscriber each",
         "pubsub --pairs {senders}", 64, 256),
    Load("request", "request and reply, 64 requesters with one responder each",
         "request --pairs {senders}", 64, 256),
    Load("fan-out", "fan-out, 32 publishers with 32 subscribers each; deliveries count",
         "fanout --publishers {senders} --subscribers 32", 32, 16, copies=32),
    Load("random", "all to all, 128 clients that publish to one another at random",
         "random --clients {senders} --group {group} --member {member}", 128, 128, is_common=True),
)
