"""A Python that has the AWS CLI loaded already: the scripts of the tests call `aws` some thousand times.

`Warm(folder)` starts it and puts two programs into the folder: `python`, which runs a script as the Python of the AWS CLI
would, and `aws`, the AWS CLI itself by that. Each call is a process of its own, forked from one that has loaded the
CLI's modules. Only the time to load them is saved.

As a program: warm_python.py SOCKET serves until it is stopped.
"""

import contextlib
import io
import json
import os
import signal
import socket
import struct
import sys
import traceback

import services

PYTHON = os.path.join(services.BUILD, "aws-cli", "bin", "python")
CLI = os.path.join(services.BUILD, "aws-cli", "bin", "aws")

# The other side of `serve`: as small as can be, because it starts for each call.
CLIENT = """#!/usr/bin/python3 -IS
import json, os, socket, struct, sys
line = socket.socket(socket.AF_UNIX)
line.connect({path!r})
call = json.dumps([sys.argv[1:], dict(os.environ)]).encode()
folder = os.open(".", os.O_RDONLY)
socket.send_fds(line, [struct.pack("!I", len(call))], [0, 1, 2, folder])
line.sendall(call)
status = line.recv(1)
os._exit(status[0] if status else 1)
"""


class Warm(services.Server):
    """The process to be forked from, while the `with` lasts. `aws` is the CLI's path."""

    name = "the AWS CLI"

    def __init__(self, folder):
        super().__init__(os.path.join(folder, "aws-cli.log"))
        self.folder = os.path.join(folder, "aws-cli")
        self.path = os.path.join(folder, "aws-cli.socket")
        self.aws = os.path.join(self.folder, "aws")

    def start(self):
        os.makedirs(self.folder)
        python = os.path.join(self.folder, "python")
        with open(python, "w", encoding="utf-8") as file:
            file.write(CLIENT.format(path=self.path))
        os.chmod(python, 0o755)
        with open(CLI, encoding="utf-8") as file:
            _own, rest = file.read().split("\n", 1)
        with open(self.aws, "w", encoding="utf-8") as file:
            file.write(f"#!{python}\n{rest}")
        os.chmod(self.aws, 0o755)
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
        self.spawn([PYTHON, os.path.abspath(__file__), self.path], env=environment, cwd=self.folder)
        self.wait_until(lambda: os.path.exists(self.path))


def receive(line):
    """A call: its arguments, its variables, and the descriptors of its streams and its folder."""
    head, files, _flags, _address = socket.recv_fds(line, 4, 4)
    (length,) = struct.unpack("!I", head)
    text = b""
    while len(text) < length:
        piece = line.recv(length - len(text))
        if not piece:
            raise EOFError
        text += piece
    arguments, variables = json.loads(text)
    return arguments, variables, files


def run(line, own):
    """Runs a script as `python SCRIPT ARGUMENTS…` would. In a process of its own. `own`: variables that the CLI's modules
    set when they are loaded. Gives the exit status."""
    arguments, variables, (*streams, folder) = receive(line)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.fchdir(folder)
    for file in (*streams, folder):
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(variables)
    os.environ.update(own)
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    sys.argv = arguments
    with open(arguments[0], encoding="utf-8") as file:
        code = compile(file.read(), arguments[0], "exec")
    status = 0
    try:
        exec(code, {"__name__": "__main__", "__file__": arguments[0], "__builtins__": __builtins__})
    except SystemExit as ending:
        if isinstance(ending.code, str):
            print(ending.code, file=sys.stderr)
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status & 0xFF


def load():
    """Loads the CLI and the descriptions of services that the scripts use. Gives the variables that this has set."""
    before = dict(os.environ)
    import awscli.clidriver
    import botocore.loaders

    # A description is the same each time that it is read.
    read = botocore.loaders.JSONFileLoader.load_file
    known = {}

    def load_file(self, path):
        if path not in known:
            known[path] = read(self, path)
        return known[path]

    botocore.loaders.JSONFileLoader.load_file = load_file
    driver = awscli.clidriver.create_clidriver()
    session = driver.session
    for service in ("s3", "iam", "sts", "kms"):
        client = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        session.create_client(service, **client)
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            with contextlib.redirect_stderr(io.StringIO()):
                driver.main([service, "no-such-operation"])
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def serve(path):
    own = load()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    listener.listen(128)
    os.rename(path + ".new", path)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        line, _address = listener.accept()
        if os.fork():
            line.close()
            continue
        listener.close()
        status = 1
        try:
            status = run(line, own)
            line.send(bytes([status]))
        finally:
            os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
