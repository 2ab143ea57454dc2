"""Prometheus of Debian with the rules and the dashboard of deploy/."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from cluster import DEPLOY, Failed, same, services
from proxies import adapted, program

FOLDER = os.path.join(DEPLOY, "prometheus")
# The alerts that the documents promise, by what they are about.
ALERTS = {
    "an instance down": ["SallyportInstanceDown"],
    "5xx": ["SallyportServerErrors"],
    "the database": ["SallyportDatabaseUnavailable"],
    "changes unread": ["SallyportChangesUnread"],
    "guessing of tokens": ["SallyportTokenGuessing"],
    "slow reads": ["SallyportSlowReads"],
    "AssumeRole failing": ["SallyportAssumeRoleFailing"],
    "the own identity": ["SallyportOwnIdentity"],
    "storages broken, share and jump": ["SallyportStoragesBroken", "SallyportStoragesBreaking"],
    "scheduled work behind": ["SallyportScheduledWorkBehind"],
    "memory": ["SallyportMemory"],
    "descriptors": ["SallyportDescriptors"],
    "transfers": ["SallyportTransfersBreakingOff"],
}


class Prometheus(services.Server):
    """It reads the replicas every second, by the configuration of deploy/."""

    name = "Prometheus"

    def __init__(self, folder, replicas):
        self.folder = os.path.join(folder, "prometheus")
        os.makedirs(self.folder)
        super().__init__(os.path.join(self.folder, "prometheus.log"))
        self.port = services.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.replicas = replicas

    def start(self):
        changes = {
            "scrape_interval: 15s": "scrape_interval: 1s",
            "evaluation_interval: 15s": "evaluation_interval: 1s",
            "- alerts.yml": f"- {FOLDER}/alerts.yml",
            "127.0.0.1:8080": f"127.0.0.1:{self.replicas[0].port}",
            "127.0.0.1:8081": f"127.0.0.1:{self.replicas[1].port}",
        }
        path = os.path.join(self.folder, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(adapted("prometheus/prometheus.yml", changes))
        command = [program("prometheus"), f"--config.file={path}", f"--storage.tsdb.path={self.folder}/data"]
        self.spawn([*command, f"--web.listen-address=127.0.0.1:{self.port}"], cwd=self.folder)
        self.wait_until(lambda: services.answers(f"{self.url}/-/ready"))

    def query(self, path, **parameters):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise Failed(f"{parameters}: {error.read().decode(errors='replace')}") from error


def run(command):
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


def rules():
    promtool = program("promtool")
    run([promtool, "check", "rules", "alerts.yml"])
    run([promtool, "check", "config", "prometheus.yml"])
    run([promtool, "test", "rules", "alerts.test.yml"])
    with open(os.path.join(FOLDER, "alerts.yml"), encoding="utf-8") as file:
        there = re.findall(r"- alert: (\S+)", file.read())
    same("the alerts", sorted(there), sorted(name for names in ALERTS.values() for name in names))
    with open(os.path.join(FOLDER, "alerts.test.yml"), encoding="utf-8") as file:
        tests = file.read()
    for name in there:
        if f'"{name}"' not in tests and f"alertname: {name}\n" not in tests:
            raise Failed(f"no test of deploy/prometheus/alerts.test.yml makes {name} fire")


def queries():
    """The dashboard's queries, as (panel, expression)."""
    with open(os.path.join(DEPLOY, "grafana", "sallyport.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "10s")
            for variable in ("$job", "$instance"):
                expression = expression.replace(variable, ".*")
            if "$" in expression:
                raise Failed(f"the panel {panel['title']} has an unknown variable: {expression}")
            yield panel["title"], expression


def metrics(prometheus):
    """Both replicas are read, and every query and every rule is answered."""
    deadline = time.monotonic() + 30
    while True:
        up = prometheus.query("query", query='count_over_time(up{job="sallyport"}[1m]) > 5')["result"]
        if len(up) == 2:
            break
        if time.monotonic() > deadline:
            raise Failed("Prometheus did not read both replicas")
        time.sleep(0.5)
    same("the replicas that are up", [value["value"][1] for value in prometheus.query("query", query="up")["result"]], ["1", "1"])
    empty, asked = [], 0
    for panel, expression in queries():
        asked += 1
        if not prometheus.query("query", query=expression)["result"]:
            empty.append(f"{panel}: {expression}")
    if empty:
        raise Failed("queries of the dashboard without an answer:\n" + "\n".join(empty))
    groups = prometheus.query("rules")["groups"]
    bad = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] != "ok"]
    same("the rules that cannot be evaluated", bad, [])
    return asked


def exposition(replica):
    """What a replica says, as `promtool check metrics` judges it."""
    request = urllib.request.Request(f"{replica.url}/metrics", headers={"Accept": "text/plain;version=0.0.4"})
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read()
    done = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"promtool check metrics: {done.stdout.decode()}{done.stderr.decode()}")


def check(cluster):
    rules()
    with Prometheus(cluster.folder, cluster.replicas) as prometheus:
        asked = metrics(prometheus)
    exposition(cluster.replicas[0])
    print(f"Prometheus: {sum(map(len, ALERTS.values()))} alerts fire in their test, {asked} queries of the dashboard are answered")
