"""The Helm chart: linted, rendered, compared with the schemas of Kubernetes, and its containers started as processes."""

import json
import os
import re
import subprocess

from cluster import DEPLOY, OPERATOR, Failed, environment, same, services
from started import master_key, run_once, serve

CHART = os.path.join(DEPLOY, "helm", "sallyport")
HELM = os.path.join(services.BUILD, "helm", "helm")
VALIDATOR = os.path.join(services.BUILD, "kubernetes", "bin")
# The oldest that the chart takes, and the newest that the validator knows.
VERSIONS = ("1.27", "1.37")
RELEASE = "files"


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Failed(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def helm(folder, *arguments):
    """Helm without the caller's own configuration, and without a cluster."""
    return run([HELM, *arguments], env={"HOME": folder, "PATH": os.environ["PATH"]}, cwd=CHART)


def render(folder, values):
    """The chart's manifests with these values, which are compared with the schemas. By kind and name."""
    helm(folder, "lint", "--strict", "--values", f"ci/{values}.yaml", ".")
    text = helm(folder, "template", RELEASE, ".", "--namespace", "files", "--values", f"ci/{values}.yaml")
    path = os.path.join(folder, f"{values}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    for version in VERSIONS:
        said = run([os.path.join(VALIDATOR, "kubernetes-validate"), "--strict", "-k", version, path])
        # Kubernetes has no schema for what an operator defines.
        unknown = [line for line in said.splitlines() if "find schema" in line and "ServiceMonitor" not in line]
        same(f"what has no schema in Kubernetes {version}", unknown, [])
    program = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))"
    manifests = json.loads(run([os.path.join(VALIDATOR, "python"), "-c", program], input=text))
    return {(one["kind"], one["metadata"]["name"]): one for one in manifests if one}


def what_is_promised(all_of_it, least):
    """The parts that docs/deploy.md names."""
    deployment = all_of_it["Deployment", RELEASE]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        same(f"whether there is a {probe}", probe in container, True)
    same("readiness", container["readinessProbe"]["httpGet"], {"path": "/readyz", "port": "management"})
    same("the user", (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsNonRoot"]), (10001, True))
    same("the root file system", container["securityContext"]["readOnlyRootFilesystem"], True)
    same("replicas beside autoscaling", "replicas" in deployment["spec"], False)
    same("replicas without it", least["Deployment", RELEASE]["spec"]["replicas"], 2)
    variables = {one["name"]: one.get("value") for one in container["env"]}
    grace = int(variables["SALLYPORT_SHUTDOWN_GRACE"].removesuffix("s"))
    same("whether Kubernetes waits longer than a stop takes", pod["terminationGracePeriodSeconds"] > grace, True)
    secrets = [name for name in variables if re.search("TOKEN|KEY|URL|SECRET", name) and variables[name]]
    inline = [name for name in secrets if not name.endswith("_FILE") and name != "SALLYPORT_PUBLIC_URL"]
    same("secrets in variables", inline, [])
    same("autoscaling", all_of_it["HorizontalPodAutoscaler", RELEASE]["spec"]["scaleTargetRef"]["name"], RELEASE)
    for manifests in (all_of_it, least):
        same("the budget", manifests["PodDisruptionBudget", RELEASE]["spec"]["maxUnavailable"], 1)
        policy = manifests["NetworkPolicy", RELEASE]["spec"]
        same("what the policy is about", policy["policyTypes"], ["Ingress", "Egress"])
        same("the pods of the policy", policy["podSelector"], {"matchLabels": deployment["spec"]["selector"]["matchLabels"]})
        job = manifests["Job", f"{RELEASE}-migrate"]
        same("when the job runs", job["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade")
        same("what the job runs", job["spec"]["template"]["spec"]["containers"][0]["args"], ["migrate"])
    role = all_of_it["ServiceAccount", RELEASE]["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
    same("the role", role, "arn:aws:iam::111111111111:role/sallyport")
    keys = [item["key"] for volume in pod["volumes"] if volume["name"] == "secret" for item in volume["secret"]["items"]]
    same("the Secret's keys", keys, ["database-url", "master-key", "operator-token", "rds-bundle.pem"])
    job_pod = all_of_it["Job", f"{RELEASE}-migrate"]["spec"]["template"]["spec"]
    job_keys = [item["key"] for volume in job_pod["volumes"] if volume["name"] == "secret" for item in volume["secret"]["items"]]
    same("the URL of the job", job_keys[0], "owner-database-url")


def refused(folder):
    """Values that are missing or wrong are refused, with their names."""
    least = ["--values", "ci/least.yaml"]
    for arguments, word in (
        ([], "image.repository"),
        ([*least, "--set", "publicUrl="], "publicUrl"),
        ([*least, "--set", "replicas=3"], "replicas"),
        ([*least, "--set", "settings.SALLYPORT-X=1"], "SALLYPORT-X"),
        ([*least, "--set", "image.digest=latest"], "digest"),
    ):
        command = [HELM, "template", RELEASE, ".", *arguments]
        env = {"HOME": folder, "PATH": os.environ["PATH"]}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHART, env=env)
        if done.returncode == 0 or word not in done.stderr:
            raise Failed(f"{arguments}: expected a refusal that names {word}, found:\n{done.stderr[-600:]}")


def start(cluster, least):
    """Runs the hook's container and then the service's, as processes with the same variables and files."""
    folder = os.path.join(cluster.folder, "chart")
    secret = os.path.join(folder, "secret")
    os.makedirs(secret)
    database = cluster.postgres.database("chart")
    for name, text in (("database-url", database), ("master-key", master_key()), ("operator-token", OPERATOR)):
        with open(os.path.join(secret, name), "w", encoding="ascii") as file:
            file.write(text + "\n")
    http, management = services.free_port(), services.free_port()
    changes = {"/etc/sallyport/secret": secret, "0.0.0.0:8080": f"127.0.0.1:{http}", "0.0.0.0:9090": f"127.0.0.1:{management}"}

    def of(kind, name):
        (container,) = least[kind, name]["spec"]["template"]["spec"]["containers"]
        variables = {"SALLYPORT_DATA_DIR": os.path.join(folder, "data")}
        for one in container["env"]:
            text = one["value"]
            for old, new in changes.items():
                text = text.replace(old, new)
            variables[one["name"]] = text
        return container, variables

    os.makedirs(os.path.join(folder, "data"))
    job, variables = of("Job", f"{RELEASE}-migrate")
    run_once([environment.binary(), *job["args"]], variables, folder)
    container, variables = of("Deployment", RELEASE)
    ports = {"http": http, "management": management}
    with serve([environment.binary(), *container["args"]], variables, cluster, folder) as service:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[probe]["httpGet"]
            url = f"http://127.0.0.1:{ports[asked['port']]}{asked['path']}"
            service.wait_until(lambda url=url: services.answers(url))


def check(cluster):
    folder = os.path.join(cluster.folder, "helm")
    os.makedirs(folder)
    least, all_of_it = render(folder, "least"), render(folder, "all")
    what_is_promised(all_of_it, least)
    refused(folder)
    start(cluster, least)
    print(f"the chart: {len(all_of_it)} manifests fit Kubernetes {' and '.join(VERSIONS)}; its containers start")
