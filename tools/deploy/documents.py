"""The commands of docs/deploy.md, in a fresh folder and in their order; and what it says of the image."""

import os
import re
import shutil
import subprocess

from cluster import ROOT, Failed, environment, same, services
from started import serve

PAGE = os.path.join(ROOT, "docs", "deploy.md")
# `console` are the commands of programs that need a machine or a cluster of their own.
KINDS = {"sh", "sh serve", "console"}


def blocks():
    """The blocks of code of the page, as (kind, text)."""
    with open(PAGE, encoding="utf-8") as file:
        found = re.findall(r"^```([a-z][a-z ]*)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    same("the kinds of blocks of docs/deploy.md", {kind for kind, _ in found}, KINDS)
    return found


def walk(cluster):
    """Runs the blocks in one shell session after the other, with a free port and the test's database."""
    folder = os.path.join(cluster.folder, "walk")
    os.makedirs(os.path.join(folder, "bin"))
    for name in ("deploy", "tools", "Cargo.toml", "Cargo.lock"):
        os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
    os.symlink(environment.binary(), os.path.join(folder, "bin", "sallyport"))
    os.symlink(os.path.join(services.BUILD, "helm", "helm"), os.path.join(folder, "bin", "helm"))
    port = str(services.free_port())
    changes = {"8080": port, "postgres://sallyport:PASSWORD@127.0.0.1:5432/sallyport": cluster.postgres.database("walk")}
    path = f"{folder}/bin:{os.environ['PATH']}"
    home = os.environ.get("HOME", folder)
    variables = {"PATH": path, "CARGO_NET_OFFLINE": "true", "AWS_EC2_METADATA_DISABLED": "true"}
    # Cargo's own programs and sources are the caller's.
    for name in ("CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"):
        if name in os.environ:
            variables[name] = os.environ[name]
    variables.setdefault("CARGO_HOME", os.path.join(home, ".cargo"))
    variables.setdefault("RUSTUP_HOME", os.path.join(home, ".rustup"))
    running, ran = None, 0
    try:
        for kind, text in blocks():
            if kind == "console":
                continue
            for old, new in changes.items():
                text = text.replace(old, new)
            if kind == "sh serve":
                running = serve(["bash", "-euc", text], variables, cluster, folder)
                running.start()
                continue
            env = {**variables, "HOME": folder}
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60
            )
            if done.returncode:
                log = running.log_tail() if running else ""
                raise Failed(f"docs/deploy.md:\n{text}\nended with {done.returncode}:\n{done.stdout[-800:]}{done.stderr[-1500:]}\n{log}")
            ran += 1
    finally:
        if running:
            running.stop()
    modes = {name: os.stat(os.path.join(folder, "secrets", name)).st_mode & 0o777 for name in os.listdir(os.path.join(folder, "secrets"))}
    same("secrets that others can read", {name for name, mode in modes.items() if mode & 0o077 and name != "acme.token"}, set())
    return ran


def image():
    """The base images have whole versions, and digests by arguments; the user is a number."""
    with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
        text = file.read()
    for name in ("RUST", "DEBIAN"):
        tag = re.search(rf"^ARG {name}_IMAGE=[a-z]+:(\S+)$", text, re.MULTILINE)
        if not tag or not re.match(r"\d+\.\d+", tag[1]):
            raise Failed(f"the Dockerfile does not pin {name}_IMAGE")
        same(f"whether {name}_DIGEST is an argument", f"ARG {name}_DIGEST=\n" in text, True)
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    same("the bases", bases, ["${RUST_IMAGE}${RUST_DIGEST}", "${DEBIAN_IMAGE}${DEBIAN_DIGEST}"])
    same("the user", re.findall(r"^USER (\S+)$", text, re.MULTILINE), ["10001:10001"])
    with open(os.path.join(ROOT, "docker-compose.yml"), encoding="utf-8") as file:
        for name in re.findall(r"^\s+image: (\S+)$", file.read(), re.MULTILINE):
            if not re.search(r":\d+\.\d+", name):
                raise Failed(f"docker-compose.yml does not pin {name}")


def check(cluster):
    if not shutil.which("jq"):
        raise Failed("jq is not installed: run `tools/install jq`")
    image()
    print(f"docs/deploy.md: {walk(cluster)} blocks of commands work in a fresh folder")
