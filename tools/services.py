"""The servers for the tests and the demo: the AWS emulator and PostgreSQL.

Each is a context manager that starts a server on a free port of 127.0.0.1 and stops it by its process
ID. Standard library only.
"""

import ctypes
import glob
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, ".build")

START_SECONDS = 60
STOP_SECONDS = 10


class StartFailed(Exception):
    """A server did not start. The message is shown at the terminal."""


def free_port():
    """A port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _end_with_parent():
    """Linux only: the server stops when its parent ends, even after SIGKILL."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGINT)


def answers(url):
    """Whether a GET of this URL returns 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError, ValueError):
        return False


class Server:
    """A child process with a log file. It has its own process group: Ctrl-C reaches only this program."""

    name = "server"
    outlives_parent = False

    def __init__(self, log):
        self.log = log
        self.process = None

    def spawn(self, command, **options):
        try:
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=None if self.outlives_parent else _end_with_parent,
                    **options,
                )
        except OSError as error:
            raise StartFailed(f"{self.name} cannot be started: {error}") from error

    def wait_until(self, ready):
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self.process.poll() is not None:
                raise StartFailed(f"{self.name} ended at once. Its log:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.name} did not answer within {START_SECONDS} s. Its log:\n{self.log_tail()}"
                )
            time.sleep(0.05)

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-20:])

    def stop(self, how=signal.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def start(self):
        raise NotImplementedError

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()


class Emulator(Server):
    """The AWS emulator, with IAM evaluation on.

    It stores its state in memory; with `persist`, it also writes the state to the folder when it stops.
    """

    name = "the AWS emulator"
    program = os.path.join(BUILD, "emulator", "bin", "ministack")

    def __init__(self, folder, port=None, persist=False):
        super().__init__(os.path.join(folder, "emulator.log"))
        self.folder = folder
        self.persist = "1" if persist else "0"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        if not os.access(self.program, os.X_OK):
            raise StartFailed("the AWS emulator is not installed: run `tools/install emulator`")
        if not port_is_free(self.port):
            raise StartFailed(f"port {self.port} of 127.0.0.1 is taken")
        # AWS and emulator variables of the caller are not passed on, because they could change what the
        # tests see.
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        environment.update(
            AUTH="true",
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            MINISTACK_REGION="us-east-1",
            LOG_LEVEL="INFO",
            PERSIST_STATE=self.persist,
            S3_PERSIST=self.persist,
            STATE_DIR=os.path.join(self.folder, "emulator-state"),
            S3_DATA_DIR=os.path.join(self.folder, "emulator-s3"),
        )
        self.spawn(self.command(), env=environment, cwd=self.folder)
        self.wait_until(lambda: answers(f"{self.url}/_ministack/health"))

    def command(self):
        return [self.program]


def postgres_program(name):
    """The path of a PostgreSQL program: from PATH, or from Debian's folder of the newest version."""
    found = shutil.which(name)
    if found:
        return os.path.realpath(found)

    def version(path):
        number = path.split(os.sep)[4]
        return float(number) if number.replace(".", "", 1).isdigit() else 0

    places = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=version)
    if not places:
        raise StartFailed("PostgreSQL is not installed: run `tools/install postgres`")
    return places[-1]


class Postgres(Server):
    """A PostgreSQL cluster in a temporary folder, with a random password, deleted after use.

    Nothing is synced to disk, which is fast; the data is lost if the machine stops. Unless it is `durable`, the last
    commits are also lost if the server crashes. The server speaks TLS with a
    certificate for 127.0.0.1, whose authority is in the file `authority`; the URL does not use it. `auth` is how
    it proves who connects (pg_hba.conf): `trust` asks for no password.
    """

    name = "PostgreSQL"

    def __init__(self, durable=False, auth="scram-sha-256"):
        self.auth = auth
        self.synchronous_commit = "on" if durable else "off"
        self.folder = tempfile.mkdtemp(prefix="sallyport-postgres-")
        super().__init__(os.path.join(self.folder, "log"))
        self.command, self.user = [], {}
        self.port = free_port()
        self.password = secrets.token_hex(16)
        self.url = f"postgres://postgres:{self.password}@127.0.0.1:{self.port}/postgres?sslmode=disable"
        self.authority = os.path.join(self.folder, "authority.pem")

    def start(self):
        initdb = postgres_program("initdb")
        postgres = os.path.join(os.path.dirname(initdb), "postgres")
        data = os.path.join(self.folder, "data")
        password_file = os.path.join(self.folder, "password")
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self.password)

        # PostgreSQL refuses to run as root.
        user = {}
        if os.geteuid() == 0:
            account = self._account()
            user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            for path in (self.folder, password_file):
                os.chown(path, account.pw_uid, account.pw_gid)
        self._make_certificates(**user)

        made = subprocess.run(
            [initdb, "--pgdata", data, "--username", "postgres", "--pwfile", password_file]
            + ["--auth", self.auth, "--encoding", "UTF8", "--locale", "C", "--no-sync"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **user,
        )
        if made.returncode != 0:
            raise StartFailed(f"initdb failed:\n{made.stdout}{made.stderr}")

        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 400,
            "fsync": "off",
            "synchronous_commit": self.synchronous_commit,
            "full_page_writes": "off",
            "ssl": "on",
            "ssl_cert_file": os.path.join(self.folder, "server.pem"),
            "ssl_key_file": os.path.join(self.folder, "server.key"),
        }
        command = [postgres, "-D", data]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        self.command, self.user = command, user
        self.resume()

    def database(self, name):
        """Makes a database on the running server. Returns its URL."""
        # Beside the server's programs: the one in PATH may be a wrapper.
        psql = os.path.join(os.path.dirname(self.command[0]), "psql")
        command = [psql, "--no-psqlrc", "-c", f"CREATE DATABASE {name}", self.url]
        made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise StartFailed(f"psql failed:\n{made.stderr}")
        return self.url.replace("/postgres?", f"/{name}?")

    def halt(self, how=signal.SIGINT):
        """Stops the server and keeps its data. SIGQUIT is PostgreSQL's immediate shutdown, like a crash."""
        super().stop(how)

    def resume(self):
        self.spawn(self.command, cwd=self.folder, **self.user)
        self.wait_until(self._accepts)

    def _make_certificates(self, **user):
        """An authority, and the server's certificate by it."""
        extensions = os.path.join(self.folder, "extensions")
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName = IP:127.0.0.1\nbasicConstraints = CA:FALSE\n")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        steps = [
            ["req", "-x509", *key, "-subj", "/CN=tests", "-days", "2", "-keyout", "authority.key"]
            + ["-out", "authority.pem"],
            ["req", *key, "-subj", "/CN=postgres", "-keyout", "server.key", "-out", "server.csr"],
            ["x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key"]
            + ["-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "server.pem"],
        ]
        for step in steps:
            try:
                made = subprocess.run(
                    ["openssl", *step],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    cwd=self.folder,
                    check=False,
                    **user,
                )
            except OSError as error:
                raise StartFailed(f"openssl, which comes with Debian's PostgreSQL, cannot be run: {error}") from error
            if made.returncode != 0:
                raise StartFailed(f"openssl failed:\n{made.stderr}")
        # The tests read it as another user; the folder stays closed to be listed.
        os.chmod(self.folder, 0o711)
        os.chmod(self.authority, 0o644)

    @staticmethod
    def _account():
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise StartFailed("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")

    def _accepts(self):
        """Whether connections are accepted: then `postmaster.pid` has `ready` in its last line."""
        try:
            with open(os.path.join(self.folder, "data", "postmaster.pid"), encoding="utf-8") as file:
                lines = file.read().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def stop(self, how=signal.SIGINT):
        # SIGINT is PostgreSQL's fast shutdown: open connections are closed.
        super().stop(how)
        shutil.rmtree(self.folder, ignore_errors=True)


def pgbouncer_program():
    """The path of PgBouncer."""
    found = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not os.access(found, os.X_OK):
        raise StartFailed("PgBouncer is not installed: run `tools/install postgres`")
    return found


class PgBouncer(Server):
    """A pooler in front of a PostgreSQL server: every database of the server, with few sessions for each, and each
    session for one transaction at a time. It signs in at the server itself and lets everybody in.
    """

    name = "PgBouncer"

    def __init__(self, folder, server):
        super().__init__(os.path.join(folder, "log"))
        self.folder, self.server = folder, urllib.parse.urlsplit(server)
        self.port = free_port()
        self.url = f"postgres://anybody@127.0.0.1:{self.port}/postgres?sslmode=disable"
        self.knows_prepared = False

    def start(self):
        program = pgbouncer_program()
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"PgBouncer (\d+)\.(\d+)", said)
        self.knows_prepared = bool(version) and (int(version[1]), int(version[2])) >= (1, 21)
        settings = [
            "[databases]",
            f"* = host={self.server.hostname} port={self.server.port or 5432}"
            f" user={self.server.username} password={self.server.password}",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            "auth_type = any",
            "pool_mode = transaction",
            "default_pool_size = 4",
        ]
        if self.knows_prepared:
            settings.append("max_prepared_statements = 100")
        path = os.path.join(self.folder, "pgbouncer.ini")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(settings) + "\n")
        # PgBouncer refuses to run as root.
        user = {}
        if os.geteuid() == 0:
            account = Postgres._account()
            user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            for owned in (self.folder, path):
                os.chown(owned, account.pw_uid, account.pw_gid)
        self.spawn([program, path], cwd=self.folder, **user)
        self.wait_until(lambda: not port_is_free(self.port))
