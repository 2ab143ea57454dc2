"""The demo's servers: the AWS emulator and the service on SQLite, in .build/demo or another folder.

`sallyport dev` runs this from its own copy, with the release binary.
"""

import contextlib
import json
import os
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tools"))
import accounts  # noqa: E402  (needs the emulator's virtual environment)
import services  # noqa: E402  (found by the line above)
from api import Api  # noqa: E402

FOLDER = os.path.join(services.BUILD, "demo")
# The service's program; None: the one that Cargo builds.
BINARY = None

# Public values: use them only for a demo on 127.0.0.1.
OPERATOR_TOKEN = os.environ.get("SALLYPORT_OPERATOR_TOKEN") or "demo-operator-token-not-for-production"
MASTER_KEY = "ZGVtby1tYXN0ZXIta2V5LW5vdC1mb3ItcHJvZHVjdGk="  # 32 bytes: demo-master-key-not-for-producti

SERVICE_PORT = 8080
AWS_PORT = 4566

# Everything that a product needs to act for its tenants; not the operator's part.
KEY_SCOPES = [
    "workspaces:create",
    "workspaces:read",
    "links:create",
    "storages:read",
    "storages:write",
    "files:read",
    "files:write",
    "projects:write",
    "events:read",
    "audit:read",
]


class DemoFailed(Exception):
    """The demo cannot continue. The message is shown at the terminal."""


def binary():
    if BINARY:
        return BINARY
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(services.ROOT, "target"))
    return os.path.join(target, "debug", "sallyport")


def say(text=""):
    print(text, flush=True)


class Service(services.Server):
    """The service itself, with the demo's settings."""

    name = "the service"

    def __init__(self, port, aws_url, vendor_key):
        super().__init__(os.path.join(FOLDER, "service.log"))
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.aws_url = aws_url
        self.vendor_key = vendor_key

    def settings(self):
        return {
            "SALLYPORT_LISTEN": f"127.0.0.1:{self.port}",
            "SALLYPORT_DATA_DIR": os.path.join(FOLDER, "data"),
            "SALLYPORT_PUBLIC_URL": self.url,
            "SALLYPORT_ALLOWED_ORIGINS": f"{self.url},http://localhost:{self.port}",
            "SALLYPORT_OPERATOR_TOKEN": OPERATOR_TOKEN,
            "SALLYPORT_MASTER_KEY": MASTER_KEY,
            "SALLYPORT_BUILT_IN_BUCKET": accounts.BUILT_IN_BUCKET,
            "SALLYPORT_LOG_FORMAT": "text",
            **aws_environment(self.aws_url, self.vendor_key),
        }

    def arguments(self):
        return ["serve"]

    def readiness(self):
        return f"{self.url}/readyz"

    def start(self):
        if not os.access(binary(), os.X_OK):
            raise services.StartFailed("the service is not built: run `cargo build`")
        os.makedirs(os.path.join(FOLDER, "data"), mode=0o700, exist_ok=True)
        # The caller's own AWS settings must not reach the demo.
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        environment.update(self.settings())
        self.spawn([binary(), *self.arguments()], env=environment, cwd=FOLDER)
        self.wait_until(lambda: services.answers(self.readiness()))


class DemoService(Service):
    """The service of the demo: with the routes of the customer's side, and with the settings that the caller's
    environment has already."""

    def __init__(self, port, aws_url, vendor_key, helper_url, origins):
        super().__init__(port, aws_url, vendor_key)
        self.helper_url = helper_url
        self.origins = origins
        self.given = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("SALLYPORT_") and not name.startswith("SALLYPORT_TEST_") and value
        }
        listen = self.given.get("SALLYPORT_LISTEN")
        if listen:
            if listen.endswith(":0"):
                raise DemoFailed("SALLYPORT_LISTEN needs a port here, because the settings name it.")
            self.url = f"http://{listen}"

    def arguments(self):
        return ["dev-service", "--helper", self.helper_url]

    def readiness(self):
        management = self.given.get("SALLYPORT_MANAGEMENT_LISTEN")
        return f"http://{management}/readyz" if management else super().readiness()

    def settings(self):
        settings = super().settings()
        # A webhook and an S3-compatible store may be on this machine.
        settings["SALLYPORT_ENDPOINT_NETWORKS"] = "127.0.0.0/8,::1/128"
        if "SALLYPORT_MASTER_KEY_FILE" in self.given:
            del settings["SALLYPORT_MASTER_KEY"]
        settings.update(self.given)
        for name in ("SALLYPORT_ALLOWED_ORIGINS", "SALLYPORT_FRAME_ANCESTORS"):
            origins = [origin for origin in settings.get(name, "").split(",") if origin] + self.origins
            if origins:
                settings[name] = ",".join(dict.fromkeys(origins))
        return settings


class Emulator(services.Emulator):
    """The AWS emulator of this Python's own environment, in which buckets can be made busy."""

    program = os.path.join(os.path.dirname(sys.executable), "ministack")

    def command(self):
        return [sys.executable, os.path.join(HERE, "emulated_aws.py")]


def aws_environment(aws_url, key):
    """The AWS SDK's environment variables for one of the demo's accounts."""
    return {
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_REGION": accounts.REGION,
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def state_file():
    return os.path.join(FOLDER, "demo.json")


def variables_file():
    """The variables of a product that works with this service, for a shell."""
    return os.path.join(FOLDER, "dev.env")


def read_state():
    try:
        with open(state_file(), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def write_state(state):
    _write(state_file(), json.dumps(state, indent=2))


def write_variables(state):
    variables = {
        "SALLYPORT_URL": state["url"],
        "SALLYPORT_KEY": state["key"],
        "SALLYPORT_WEBHOOK_SECRET": (state["webhook"] or {}).get("secret"),
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items() if value]
    _write(variables_file(), "".join(lines))


def _write(path, text):
    """Writes a file that only its owner may read, whole or not at all."""
    part = f"{path}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)


def running():
    """The state of the running demo, or None."""
    state = read_state()
    if not state.get("pid"):
        return None
    try:
        os.kill(state["pid"], 0)
    except OSError:
        return None
    return state if services.answers(f"{state['url']}/readyz") else None


def choose_port(what, wanted):
    if services.port_is_free(wanted):
        return wanted
    port = services.free_port()
    say(f"Port {wanted} is in use: {what} uses port {port}.")
    return port


@contextlib.contextmanager
def demo(port=None, helper_url="http://127.0.0.1:9/", origins=(), webhook=None):
    """Runs the demo and yields its state and service. Reuses the data of an earlier run.

    `helper_url` is where the customer's side answers, `origins` are the product's web origins, `webhook` is the URL
    that events go to.
    """
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    earlier = read_state()
    with contextlib.ExitStack() as stack:
        aws_port = choose_port("the AWS emulator", AWS_PORT)
        aws = stack.enter_context(Emulator(FOLDER, aws_port, persist=True))
        keys = accounts.seed(aws.url, earlier.get("keys", {}))
        service_port = choose_port("the service", port or SERVICE_PORT)
        service = stack.enter_context(DemoService(service_port, aws.url, keys["vendor"], helper_url, list(origins)))
        state = {
            "pid": os.getpid(),
            "url": service.url,
            "aws_url": aws.url,
            "keys": keys,
            "workspace": workspace(service.url, earlier.get("workspace")),
            "key": product_key(service.url, earlier.get("key")),
            "webhook": registered_webhook(service.url, webhook, earlier.get("webhook")),
        }
        write_state(state)
        write_variables(state)
        try:
            yield state, service
        finally:
            write_state({**state, "pid": None})


def product_key(url, earlier):
    """A key as a product has it: the earlier one if it still works."""
    if earlier and Api(url, earlier)("GET", "/v1/workspaces").status == 200:
        return earlier
    made = Api(url, OPERATOR_TOKEN)("POST", "/v1/keys", {"name": "dev", "scopes": KEY_SCOPES})
    if made.status == 404:
        # A service of before product keys.
        return OPERATOR_TOKEN
    return _created(made)["key"]


def registered_webhook(url, webhook, earlier):
    """The endpoint of the product's webhook with its secret, or None without one."""
    if not webhook:
        return None
    operator = Api(url, OPERATOR_TOKEN)
    is_known = earlier and earlier["url"] == webhook
    if is_known and operator("GET", f"/v1/webhooks/{earlier['id']}").status == 200:
        return earlier
    made = _created(operator("POST", "/v1/webhooks", {"url": webhook}))
    return {"id": made["id"], "url": webhook, "secret": made["secret"]}


def workspace(url, earlier):
    """The demo workspace with its two tokens: the earlier workspace if its tokens still work."""
    if earlier and all(Api(url, earlier[role])("GET", "/v1/workspace").status == 200 for role in ("admin", "member")):
        return earlier
    operator = Api(url, OPERATOR_TOKEN)
    made = _created(operator("POST", "/v1/workspaces", {"name": "Acme"}))
    tokens = {
        role: _created(
            operator("POST", f"/v1/workspaces/{made['id']}/tokens", {"name": f"demo {role}", "role": role})
        )["token"]
        for role in ("admin", "member")
    }
    return {"id": made["id"], **tokens}


def sign_in_link(url, workspace_id, role="admin", purpose="settings"):
    """A link that signs a user in to the pages once."""
    operator = Api(url, OPERATOR_TOKEN)
    body = {"role": role, "purpose": purpose}
    return _created(operator("POST", f"/v1/workspaces/{workspace_id}/sign-in-links", body))["url"]


def _created(answer):
    if answer.status != 201:
        raise DemoFailed(f"The service answered {answer.status}: {answer.content.decode(errors='replace')}")
    return answer.json
