"""The demo's servers: the AWS emulator and the service on SQLite, in .build/demo."""

import contextlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tools"))
import accounts  # noqa: E402  (needs the emulator's virtual environment)
import services  # noqa: E402  (found by the line above)
from api import Api  # noqa: E402

FOLDER = os.path.join(services.BUILD, "demo")
STATE = os.path.join(FOLDER, "demo.json")

# Public values: use them only for a demo on 127.0.0.1.
OPERATOR_TOKEN = "demo-operator-token-not-for-production"
MASTER_KEY = "ZGVtby1tYXN0ZXIta2V5LW5vdC1mb3ItcHJvZHVjdGk="  # 32 bytes: demo-master-key-not-for-producti

SERVICE_PORT = 8080
AWS_PORT = 4566


class DemoFailed(Exception):
    """The demo cannot continue. The message is shown at the terminal."""


def binary():
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
            "SALLYPORT_SIGN_IN_LINK_TTL": "24h",
            "SALLYPORT_LOG_FORMAT": "text",
            **aws_environment(self.aws_url, self.vendor_key),
        }

    def start(self):
        if not os.access(binary(), os.X_OK):
            raise services.StartFailed("the service is not built: run `cargo build`")
        os.makedirs(os.path.join(FOLDER, "data"), mode=0o700, exist_ok=True)
        # The caller's own AWS settings must not reach the demo.
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        environment.update(self.settings())
        self.spawn([binary(), "serve"], env=environment, cwd=FOLDER)
        self.wait_until(lambda: services.answers(f"{self.url}/readyz"))


def aws_environment(aws_url, key):
    """The AWS SDK's environment variables for one of the demo's accounts."""
    return {
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_REGION": accounts.REGION,
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def read_state():
    try:
        with open(STATE, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def write_state(state):
    part = f"{STATE}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=2)
    os.replace(part, STATE)


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
def demo(port=None):
    """Runs the demo and yields its state and service. Reuses the data of an earlier run."""
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    earlier = read_state()
    with contextlib.ExitStack() as stack:
        aws_port = choose_port("the AWS emulator", AWS_PORT)
        aws = stack.enter_context(services.Emulator(FOLDER, aws_port, persist=True))
        keys = accounts.seed(aws.url, earlier.get("keys", {}))
        service_port = choose_port("the service", port or SERVICE_PORT)
        service = stack.enter_context(Service(service_port, aws.url, keys["vendor"]))
        state = {
            "pid": os.getpid(),
            "url": service.url,
            "aws_url": aws.url,
            "keys": keys,
            "workspace": workspace(service.url, earlier.get("workspace")),
        }
        write_state(state)
        try:
            yield state, service
        finally:
            write_state({**state, "pid": None})


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
