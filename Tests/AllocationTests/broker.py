"""A broker process and raw connections to it, for whoever counts what a message costs."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Support/Python"))

import server_process  # noqa: E402
from raw_client import Client, drain  # noqa: E402, F401
from server_process import ServerError, ServerProcess  # noqa: E402


def binary():
    """The release binary: $MARTLET_BINARY, or the one that `swift build -c release` made."""
    return server_process.require_executable(
        server_process.binary(), "run 'swift build -c release --product martlet' first")


def embedding_program():
    """A program with the broker and handlers in it, from the same build."""
    return server_process.require_executable(
        binary().with_name("AllocationHandlers"),
        "run 'swift build -c release --product AllocationHandlers' first")


class Broker(ServerProcess):
    """`martlet`, or a program that embeds it, under a wrapper such as valgrind if wanted."""

    def __init__(self, *flags, wrapper=(), environment=(), configuration=None, files=(),
                 program=None):
        self.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.folder.name)
        for name, text in dict(files).items():
            (folder / name).write_text(text)
        arguments = [*flags]
        if configuration is not None:
            (folder / "martlet.conf").write_text(configuration)
            arguments += ["-c", folder / "martlet.conf"]
        try:
            super().__init__(
                [*wrapper, program or binary()], arguments, log=folder / "log",
                environment=environment)
        except ServerError as error:
            self.folder.cleanup()
            raise SystemExit(f"error: {error}") from None

    def stop(self):
        """Ends the process, so that it may say what it has to say, and keeps that."""
        self.end()
        self.text_of_log = self.log.read_text(errors="replace")
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
