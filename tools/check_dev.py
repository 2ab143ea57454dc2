"""`sallyport dev` and what is built on it: the customer's side by calls, the code of docs/integrate.md, and the small
product of examples/annotate in a browser."""

import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import annotate_walk  # noqa: E402
import dev_scene  # noqa: E402
import services  # noqa: E402
from dev_scene import SceneFailed, expect  # noqa: E402

# Built by tools/check-clients or `make clients`.
CLIENT = os.path.join(services.BUILD, "client-packages", "python")
PYTHON = os.path.join(services.BUILD, "annotate", "bin", "python")
PAGE = os.path.join(services.ROOT, "docs", "integrate.md")

# How a storage is broken -> its health afterwards.
BROKEN = {
    "role_deleted": "broken",
    "external_id": "broken",
    "permission": "broken",
    "cors": "degraded",
    "bucket_deleted": "broken",
    # Nothing is proved against the connection.
    "throttle": "healthy",
}


def same(what, found, wanted):
    if found != wanted:
        raise SceneFailed(f"{what}: expected {wanted!r}, found {found!r}")


def customer_side(dev):
    """A setup is applied, and its storage is broken and repaired in each way."""
    admin = dev.api(dev.state["workspace"]["admin"])
    fields = {"bucket": dev_scene.CUSTOMER_BUCKET, "prefix": "team", "access": "read_write"}
    setup = expect(admin("POST", "/v1/storage-setups", fields), 201)
    path = f"/v1/storage-setups/{setup['id']}"
    applied = dev.call("/dev/customer/apply", {"setup_id": setup["id"]})
    same("the role of the setup", expect(admin("GET", path), 200)["role_arn"], applied["role_arn"])
    report = expect(admin("POST", f"{path}/check", wait=60), 200)
    same("the check's outcome", report["outcome"], "passed")
    storage = expect(admin("POST", f"{path}/complete"), 201)
    where = f"/v1/storages/{storage['id']}"
    for how, health in BROKEN.items():
        dev.call("/dev/break", {"storage_id": storage["id"], "how": how})
        outcome = expect(admin("POST", f"{where}/check"), 200)["outcome"]
        same(f"the check after {how}", outcome, "failed")
        same(f"the health after {how}", expect(admin("GET", where), 200)["health"]["state"], health)
        repaired = dev.call("/dev/repair", {"storage_id": storage["id"]})
        same("what was repaired", repaired["repaired"], [how])
        same(f"the check after the repair of {how}", expect(admin("POST", f"{where}/check"), 200)["outcome"], "passed")
    unknown = dev.api("none")("POST", "/dev/customer/apply", {"setup_id": "set_00000000000000000000000000000000"})
    same("an unknown setup", unknown.status, 404)
    # The settings that the environment has already are kept.
    page = dev.api("none", Accept="text/html")("GET", "/settings/storages").content.decode()
    same("the product's name on the pages", "Annotate" in page, True)
    print("the customer's side can be applied, broken and repaired by calls")


def blocks():
    """The blocks of code of the page, as (kind, text)."""
    with open(PAGE, encoding="utf-8") as file:
        return re.findall(r"^```(\S+(?: \S+)?)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


def whole(found, kind):
    text = "\n".join(text for of, text in found if of == kind)
    if not text:
        raise SceneFailed(f"docs/integrate.md has no block `{kind}`")
    return text


class App(services.Server):
    """The program of the page."""

    name = "the app of docs/integrate.md"

    def __init__(self, folder, command, variables, origin):
        super().__init__(os.path.join(folder, "app.log"))
        self.folder, self.command, self.variables, self.origin = folder, command, variables, origin

    def start(self):
        self.spawn(self.command, env=self.variables, cwd=self.folder)
        self.wait_until(lambda: services.answers(f"{self.origin}/connected"))


def integrate():
    """Runs the page's blocks in their order, with a free port in the place of 5000."""
    port = str(services.free_port())
    found = [(kind, text.replace("5000", port)) for kind, text in blocks()]
    kinds = {kind for kind, _ in found}
    same("the kinds of blocks", kinds, {"sh dev", "sh", "sh app", "python app.py", "python walk.py"})
    command = shlex.split(whole(found, "sh dev"))
    same("the command of the page", command[:4], ["sallyport", "dev", "--data", ".sallyport"])
    with tempfile.TemporaryDirectory(prefix="sallyport-integrate-") as folder, dev_scene.scene(*command[4:]) as dev:
        os.symlink(dev.folder, os.path.join(folder, ".sallyport"))
        for name in ("app.py", "walk.py"):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(whole(found, f"python {name}"))
        variables = dev_scene.environment(**dev.variables(), PYTHONPATH=CLIENT, PYTHONDONTWRITEBYTECODE="1")
        shell = ["sh", "-ec", whole(found, "sh")]
        ran = subprocess.run(shell, cwd=folder, env=dev_scene.environment(), capture_output=True, text=True, check=False)
        same("what the shell's blocks say", (ran.returncode, ran.stderr), (0, ""))
        start = shlex.split(whole(found, "sh app"))
        same("the program that starts the app", start[0], "flask")
        with App(folder, [PYTHON, "-m", *start], variables, f"http://127.0.0.1:{port}") as app:
            walk = subprocess.run(
                [PYTHON, "walk.py"],
                cwd=folder,
                env={**variables, "PYTHONPATH": f"{CLIENT}:{folder}"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if walk.returncode:
                raise SceneFailed(f"docs/integrate.md:\n{walk.stdout}\nThe app:\n{app.log_tail()}\n{dev.said()[-500:]}")
            # The server colours its lines.
            app.wait_until(lambda: re.search(r"POST /webhooks HTTP/1\.1.* 204 ", app.log_tail()))
    print("the code of docs/integrate.md works")


def main():
    if not os.path.isdir(os.path.join(CLIENT, "sallyport", "rest")):
        raise SceneFailed("the Python client is not built: run `make clients`")
    with dev_scene.scene(SALLYPORT_BRAND_NAME="Annotate") as dev:
        customer_side(dev)
    integrate()
    annotate_walk.main()


if __name__ == "__main__":
    try:
        main()
    except (SceneFailed, services.StartFailed, subprocess.SubprocessError) as error:
        print(f"check-dev: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
