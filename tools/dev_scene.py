"""`sallyport dev` as a product's developer starts it, for the tests of what is built on it. Standard library only."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "demo"))
import services  # noqa: E402
from api import Api  # noqa: E402

# From the command to the last line that it prints, where the emulator is installed.
READY_SECONDS = 15
CUSTOMER_BUCKET = "acme-data"


class SceneFailed(Exception):
    """Something was not as expected."""


def binary():
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(services.ROOT, "target"))
    return os.path.join(target, "debug", "sallyport")


def environment(**more):
    """The environment of a program that sees none of the caller's settings. What is installed stays in .build."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "XDG_CACHE_HOME": os.path.join(services.BUILD, "cache"), **more}


class Dev(services.Server):
    """`sallyport dev` in a folder of its own."""

    name = "sallyport dev"

    def __init__(self, folder, arguments, settings):
        super().__init__(os.path.join(folder, "dev.log"))
        self.folder = os.path.join(folder, "data")
        self.arguments = arguments
        self.settings = settings
        self.state = {}

    def start(self):
        port = str(services.free_port())
        command = [binary(), "dev", "--data", self.folder, "--port", port, *self.arguments]
        began = time.monotonic()
        self.spawn(command, env=environment(**self.settings))
        self.wait_until(lambda: "Ctrl-C ends" in self.said())
        with open(self.log, encoding="utf-8") as log:
            installed = "Installing" in log.read()
        took = time.monotonic() - began
        if not installed and took > READY_SECONDS:
            raise SceneFailed(f"`sallyport dev` was ready after {took:.1f} s")
        with open(os.path.join(self.folder, "demo.json"), encoding="utf-8") as file:
            self.state = json.load(file)
        self.url = self.state["url"]

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def variables(self):
        """What `. dev.env` sets."""
        printed = subprocess.run(
            ["sh", "-c", '. "$1" && env', "sh", os.path.join(self.folder, "dev.env")],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        pairs = (line.split("=", 1) for line in printed.splitlines() if line.startswith("SALLYPORT_"))
        return dict(pairs)

    def api(self, token, **headers):
        return Api(self.url, token, headers=headers)

    def call(self, path, body):
        """The customer's side. Returns the answer's JSON."""
        return expect(Api(self.url, "none")("POST", path, body), 200)


def expect(answer, status):
    """The answer's JSON, or an error that shows the answer."""
    if answer.status != status:
        raise SceneFailed(f"expected {status}, found {answer.status}: {answer.content.decode(errors='replace')}")
    return answer.json


@contextlib.contextmanager
def scene(*arguments, **settings):
    """Runs `sallyport dev` with these arguments and variables, and ends it as Ctrl-C does."""
    with tempfile.TemporaryDirectory(prefix="sallyport-dev-test-") as folder:
        with Dev(folder, list(arguments), settings) as dev:
            yield dev
            children = _children(dev.process.pid)
            dev.stop()
        left = [child for child in children if os.path.exists(f"/proc/{child}")]
        if left:
            raise SceneFailed(f"`sallyport dev` has left processes behind: {left}")


def _children(pid):
    """The processes that this one has started; Linux only, elsewhere none are known."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []
