"""Replicas of the service on PostgreSQL, with the AWS emulator, for the tests of what stands in front of them.

Runs with the emulator's virtual environment, which has botocore.
"""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.parse

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TOOLS)
sys.path.insert(0, os.path.join(ROOT, "demo"))
import accounts  # noqa: E402
import environment  # noqa: E402
from api import Api  # noqa: E402
from environment import services  # noqa: E402

DEPLOY = os.path.join(ROOT, "deploy")
HOST = "sallyport.example.com"
OPERATOR = "operator-token-of-check-deploy-0123456789"


class Failed(Exception):
    """Something was not as expected."""


def same(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}: expected {wanted!r}, found {found!r}")


def expect(answer, status):
    """The answer's JSON, or an error that shows the answer."""
    if answer.status != status:
        raise Failed(f"expected {status}, found {answer.status}: {answer.content[:2000].decode(errors='replace')}")
    return answer.json


class Replica(environment.Service):
    """One process of the service, with a log of its own."""

    def __init__(self, folder, number, aws_url, vendor_key, extra):
        super().__init__(services.free_port(), aws_url, vendor_key)
        self.log = os.path.join(folder, f"replica-{number}.log")
        self.extra = extra

    def settings(self):
        return {
            **super().settings(),
            "SALLYPORT_OPERATOR_TOKEN": OPERATOR,
            "SALLYPORT_PUBLIC_URL": f"https://{HOST}",
            "SALLYPORT_ALLOWED_ORIGINS": "https://app.example.com",
            "SALLYPORT_TRUSTED_PROXIES": "127.0.0.0/8",
            "SALLYPORT_LOG_FORMAT": "json",
            # The clients of the rolling restart make links as fast as they can.
            "SALLYPORT_SIGN_IN_LINKS_PER_MINUTE": "1000000",
            **self.extra,
        }

    def stop_gracefully(self):
        """As an orchestrator stops a replica, and waits for it."""
        self.process.terminate()
        try:
            status = self.process.wait(35)
        except subprocess.TimeoutExpired as error:
            raise Failed("a replica did not stop within 35 s") from error
        same("the exit status of a replica", status, 0)


class Cluster:
    """The replicas, a workspace with a token, and what a proxy needs. The replica `patient` is not restarted."""

    def __init__(self, folder, stack):
        self.folder = folder
        environment.FOLDER = folder
        aws = stack.enter_context(services.Emulator(folder))
        self.keys = accounts.seed(aws.url, {})
        self.aws_url = aws.url
        # A password costs an unoptimised build a tenth of a second for each connection, of which a replica that starts
        # opens many at once.
        self.postgres = stack.enter_context(services.Postgres(auth="trust"))
        extra = {"SALLYPORT_DATABASE_URL": self.postgres.url}
        *self.replicas, self.patient = [
            stack.enter_context(Replica(folder, number, aws.url, self.keys["vendor"], extra)) for number in (1, 2, 3)
        ]
        self.operator = Api(self.replicas[0].url, OPERATOR)
        self.workspace = expect(self.operator("POST", "/v1/workspaces", {"name": "Acme"}), 201)["id"]
        path = f"/v1/workspaces/{self.workspace}/tokens"
        made = self.operator("POST", path, {"name": "admin", "role": "admin"})
        self.token = expect(made, 201)["token"]
        self.certificate = certificate(folder)

    def sub_path_replica(self, path):
        """A service on SQLite whose public URL has a path."""
        folder = os.path.join(self.folder, "sub-path")
        os.makedirs(folder)
        extra = {"SALLYPORT_PUBLIC_URL": f"https://{HOST}{path}", "SALLYPORT_DATA_DIR": folder}
        return Replica(self.folder, "sub-path", self.aws_url, self.keys["vendor"], extra)


def certificate(folder):
    """The folder with a certificate for the host, as the configurations name its files."""
    place = os.path.join(folder, "tls")
    os.makedirs(place)
    chain, key = os.path.join(place, "fullchain.pem"), os.path.join(place, "privkey.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-days", "2"]
    command += ["-keyout", key, "-out", chain]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise Failed(f"openssl: {made.stderr}")
    with open(os.path.join(place, "sallyport.pem"), "w", encoding="ascii") as both:
        for path in (chain, key):
            with open(path, encoding="ascii") as file:
                both.write(file.read())
    return place


class Client:
    """Somebody who reaches the service at this port, by the host's name. One connection, opened when it is needed."""

    def __init__(self, port, tls_folder, token=None, timeout=120):
        self.port, self.token, self.timeout = port, token, timeout
        self.context = ssl.create_default_context(cafile=os.path.join(tls_folder, "fullchain.pem"))
        self.connection = None

    def open(self):
        connection = http.client.HTTPSConnection(HOST, self.port, timeout=self.timeout, context=self.context)
        # The name is in no DNS: the connection goes to this machine, and TLS still asks for the name.
        connection._create_connection = lambda address, timeout, source: _loopback(address[1], timeout)
        return connection

    def send(self, method, path, body=None, headers=None, **query):
        """An answer that is not read yet."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        sent = {"Host": HOST, **(headers or {})}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        if self.connection is None:
            self.connection = self.open()
        self.connection.request(method, path, body=body, headers=sent)
        return self.connection.getresponse()

    def __call__(self, method, path, body=None, headers=None, **query):
        response = self.send(method, path, body, headers, **query)
        answer = _Answer(response)
        if answer.headers.get("Connection", "").lower() == "close":
            self.close()
        return answer

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _Answer:
    def __init__(self, response):
        self.status, self.headers, self.content = response.status, response.headers, response.read()
        is_json = "json" in self.headers.get("Content-Type", "")
        self.json = json.loads(self.content) if self.content and is_json else None


def _loopback(port, timeout):
    return socket.create_connection(("127.0.0.1", port), timeout)
