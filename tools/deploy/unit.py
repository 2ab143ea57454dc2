"""The systemd unit: judged by systemd's own tools, and its command started with its variables and credentials."""

import os
import re
import shutil
import subprocess

from cluster import DEPLOY, OPERATOR, Failed, environment, same, services
from started import master_key, serve

FOLDER = os.path.join(DEPLOY, "systemd")
# What `systemd-analyze security` calls OK ends at 2.0 of 10.
MOST_EXPOSED = 20


def lines(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith(("#", "["))]


def settings():
    """The unit's lines by their names."""
    found = {}
    for line in lines("sallyport.service"):
        name, value = line.split("=", 1)
        found.setdefault(name, []).append(value)
    return found


def judged(folder):
    """Where systemd is, its tools read the unit without running anything."""
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        print("the unit: systemd-analyze is not here, so the unit was not judged")
        return
    path = os.path.join(folder, "sallyport.service")
    with open(os.path.join(FOLDER, "sallyport.service"), encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("/usr/local/bin/sallyport", environment.binary()))
    for command in (["verify", path], ["security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", path]):
        done = subprocess.run([analyze, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"systemd-analyze {command[0]}:\n{done.stdout[-1500:]}{done.stderr}")


def start(cluster):
    """The command with the variables of the unit and of sallyport.env, and the credentials that it loads."""
    folder = os.path.join(cluster.folder, "unit")
    credentials, data = os.path.join(folder, "credentials"), os.path.join(folder, "data")
    for place in (credentials, data):
        os.makedirs(place)
    found = settings()
    secrets = {"master.key": master_key(), "operator.token": OPERATOR}
    same("the credentials", sorted(one.split(":")[0] for one in found["LoadCredential"]), sorted(secrets))
    for name, text in secrets.items():
        with open(os.path.join(credentials, name), "w", encoding="ascii") as file:
            file.write(text + "\n")
    http, management = services.free_port(), services.free_port()
    changes = {"%d": credentials, "/var/lib/sallyport": data, "127.0.0.1:8080": f"127.0.0.1:{http}"}
    changes["127.0.0.1:9090"] = f"127.0.0.1:{management}"
    variables = {}
    for line in [*lines("sallyport.env"), *found["Environment"]]:
        name, value = line.split("=", 1)
        for old, new in changes.items():
            value = value.replace(old, new)
        variables[name] = value
    (command,) = found["ExecStart"]
    program, *arguments = command.split()
    same("the program", program, "/usr/local/bin/sallyport")
    with serve([environment.binary(), *arguments], variables, cluster, folder) as service:
        service.wait_until(lambda: services.answers(f"http://127.0.0.1:{management}/readyz"))
        with open(service.log, encoding="utf-8", errors="replace") as file:
            same("whether the operator's token is in the log", OPERATOR in file.read(), False)


def names_of_settings():
    """Every setting that deploy/ names is one: an unknown one keeps the service from starting."""
    with open(os.path.join(os.path.dirname(DEPLOY), "docs", "configuration.md"), encoding="utf-8") as file:
        known = set(re.findall(r"^\| `(SALLYPORT_[A-Z_]+)`", file.read(), re.MULTILINE))
    for place, _, files in os.walk(DEPLOY):
        for name in files:
            path = os.path.join(place, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            unknown = set(re.findall(r"SALLYPORT_[A-Z_]*[A-Z]", text)) - known
            if unknown:
                raise Failed(f"{os.path.relpath(path, DEPLOY)} names {sorted(unknown)}, which docs/configuration.md does not have")


def check(cluster):
    folder = os.path.join(cluster.folder, "systemd")
    os.makedirs(folder)
    judged(folder)
    start(cluster)
    names_of_settings()
    print("the unit: systemd takes it, and its command starts")
