"""The service on a database, with a customer whose bucket it uses."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import accounts
import services
from client import Client
from receiver import Receiver

OPERATOR = "operator-token-of-the-faults-0123456789"
MASTER_KEY = "ZmF1bHRzLW1hc3Rlci1rZXktbm90LWZvci1wcm9kdWM="  # 32 public bytes
MANY = 10_001  # One more than a request looks up itself.


class Failed(Exception):
    """A promise that was not kept."""


def binary():
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(services.ROOT, "target"))
    return os.path.join(target, "debug", "sallyport")


class Sqlite:
    name = "SQLite"

    def __init__(self, folder):
        self.path = os.path.join(folder, "sallyport.db")
        self.url = f"sqlite://{self.path}"

    def rows(self, sql):
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


class PostgreSql:
    name = "PostgreSQL"

    def __init__(self, server):
        self.server = server
        self.url = server.url

    def rows(self, sql):
        # Beside the server's programs: the one in PATH may be a wrapper.
        psql = os.path.join(os.path.dirname(services.postgres_program("initdb")), "psql")
        command = [psql, "--no-psqlrc", "-At", "-F", "\t", "-c", sql, self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Failed(f"psql: {done.stderr}")
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


class Service(services.Server):
    name = "the service"

    def __init__(self, folder, database, aws_url, vendor_key):
        super().__init__(os.path.join(folder, "service.log"))
        self.folder = folder
        self.database = database
        self.port = services.free_port()
        self.environment = {
            **{key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ},
            "SALLYPORT_LISTEN": f"127.0.0.1:{self.port}",
            "SALLYPORT_DATA_DIR": folder,
            "SALLYPORT_DATABASE_URL": database.url,
            "SALLYPORT_OPERATOR_TOKEN": OPERATOR,
            "SALLYPORT_MASTER_KEY": MASTER_KEY,
            "SALLYPORT_ALLOWED_ORIGINS": "https://app.example.com",
            "SALLYPORT_CHECKS_PER_MINUTE": "10000",
            "SALLYPORT_SIGN_IN_LINKS_PER_MINUTE": "1000000",
            "SALLYPORT_ENDPOINT_NETWORKS": "127.0.0.0/8",
            "SALLYPORT_LOG_FORMAT": "text",
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_REGION": accounts.REGION,
            "AWS_ACCESS_KEY_ID": vendor_key["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": vendor_key["secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self):
        self.spawn([binary(), "serve"], env=self.environment, cwd=self.folder)
        self.wait_until(lambda: services.answers(f"http://127.0.0.1:{self.port}/readyz"))

    def kill(self):
        """Like a crash: the process has no time for anything."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class World:
    """A running service with a workspace, a storage, setups that can be completed, and a receiver of all events."""

    def __init__(self, folder, database, line, aws_url, keys):
        self.database = database
        self.line = line
        self.aws_url = aws_url
        self.keys = keys
        self.service = Service(folder, database, line.url, keys["vendor"])
        self.client = Client(self.service.port)
        self.roles = 0
        self.receiver = Receiver()

    def __enter__(self):
        self.service.start()
        # Before anything else, so that every event has a delivery.
        webhook = self.client.send("POST", "/v1/webhooks", OPERATOR, {"url": self.receiver.url})
        self.receiver.secret = self.made(webhook)["secret"]
        made = self.made(self.client.send("POST", "/v1/workspaces", OPERATOR, {"name": "Acme"}))
        self.workspace = made["id"]
        path = f"/v1/workspaces/{self.workspace}/tokens"
        token = self.client.send("POST", path, OPERATOR, {"name": "admin", "role": "admin"})
        self.admin = self.made(token)["token"]
        setup = self.checked_setup("first")
        done = self.client.send("POST", f"/v1/storage-setups/{setup}/complete", self.admin, {})
        self.storage = self.made(done)["id"]
        s3 = self.s3()
        many = "\n".join(f"/images/{n}.png" for n in range(MANY - 1)) + "\n/readme.txt\n"
        s3.put_object(Bucket=accounts.CUSTOMER_BUCKET, Key="team/lists/many.txt", Body=many.encode())
        return self

    def __exit__(self, *_):
        self.service.stop()
        self.receiver.close()

    def s3(self):
        return accounts.client("s3", self.aws_url, **self.keys["customer"])

    @staticmethod
    def made(answer):
        if answer is None or answer.status not in (200, 201, 202):
            raise Failed(f"a request without any fault failed: {answer}")
        return answer.json

    def checked_setup(self, name):
        """Opens a setup, applies its documents, and checks it. Returns its ID."""
        body = {"display_name": name, "bucket": accounts.CUSTOMER_BUCKET, "prefix": "team", "access": "read_write"}
        setup = self.made(self.client.send("POST", "/v1/storage-setups", self.admin, body))["id"]
        path = f"/v1/storage-setups/{setup}"
        documents = self.made(self.client.send("GET", f"{path}/documents", self.admin))
        iam = accounts.client("iam", self.aws_url, **self.keys["customer"])
        self.roles += 1
        name = f"faults-{self.database.name}-{self.roles}-{os.urandom(3).hex()}"
        trust = json.dumps(documents["trust_policy"])
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        policy = json.dumps(documents["permission_policy"])
        iam.put_role_policy(RoleName=name, PolicyName="sallyport", PolicyDocument=policy)
        cors = documents["cors"]
        rules = cors["CORSRules"] if isinstance(cors, dict) else cors
        if self.roles == 1:
            self.s3().put_bucket_cors(Bucket=accounts.CUSTOMER_BUCKET, CORSConfiguration={"CORSRules": rules})
        self.made(self.client.send("PATCH", path, self.admin, {"role_arn": role}))
        report = self.made(self.client.send("POST", f"{path}/check", self.admin, query={"wait": 30}))
        if not report["outcome"].startswith("passed"):
            failed = [step for step in report["steps"] if step["status"] == "failed"]
            raise Failed(f"a check without any fault failed: {failed}")
        return setup

    def wait_until_ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while not services.answers(f"http://127.0.0.1:{self.service.port}/readyz"):
            if time.monotonic() > deadline:
                raise Failed("the service does not become ready again")
            time.sleep(0.1)
