"""Starting the service with the variables of a unit or a container, and nothing else."""

import base64
import os
import subprocess

from cluster import Failed, environment, services


def master_key():
    return base64.b64encode(os.urandom(32)).decode()


def whole(variables, folder):
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": folder, **variables}


def run_once(command, variables, folder):
    """Runs a command that has to end well."""
    env = {**whole(variables, folder), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise Failed(f"{' '.join(command[1:])} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


class Started(services.Server):
    name = "the service"

    def __init__(self, command, variables, cluster, folder):
        super().__init__(os.path.join(folder, "started.log"))
        self.command, self.folder = command, folder
        self.env = {**whole(variables, folder), **environment.aws_environment(cluster.aws_url, cluster.keys["vendor"])}

    def start(self):
        self.spawn(self.command, env=self.env, cwd=self.folder)


def serve(command, variables, cluster, folder):
    """A context in which the service runs; `wait_until` waits for what it should do."""
    return Started(command, variables, cluster, folder)
