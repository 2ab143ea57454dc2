"""Runs or lints everything in deploy/, and the commands of docs/deploy.md: tools/check-deploy [PART]...

The parts: monitoring chart unit documents proxies. Without a part: all, while the proxies' longest check waits.
"""

import contextlib
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "deploy"))
import chart  # noqa: E402
import cluster as clusters  # noqa: E402
import documents  # noqa: E402
import monitoring  # noqa: E402
import proxies  # noqa: E402
import rolling  # noqa: E402
import through  # noqa: E402
import unit  # noqa: E402
from cluster import Failed, services  # noqa: E402


class Proxies:
    """nginx, HAProxy and Caddy before the same two replicas. What waits for long begins first, through proxies of its
    own: a replica that is restarted would end it."""

    def __init__(self, cluster, stack):
        self.cluster = cluster
        kinds = (proxies.Nginx, proxies.HaProxy, proxies.Caddy)
        self.running = [stack.enter_context(kind(cluster, cluster.replicas)) for kind in kinds]
        patient = [stack.enter_context(kind(cluster, [cluster.patient] * 2)) for kind in kinds]
        self.long_checks = [through.LongCheck(cluster, proxy) for proxy in patient]
        for check in self.long_checks:
            check.start()
        self.secrets = {}

    def begin(self):
        for proxy in self.running:
            through.large_file(self.cluster, proxy)
            through.first_event(self.cluster, proxy)
            self.secrets[proxy.name] = through.links(self.cluster, proxy)
            through.search_log(proxy, self.secrets[proxy.name])
        through.below_path(self.cluster)

    def end(self):
        counts, restarts = rolling.restart(self.cluster, self.running)
        print(f"{restarts} restarts without a lost request: {counts}")
        for proxy in self.running:
            through.failures(self.cluster, proxy, self.secrets[proxy.name])
        for replica in self.cluster.replicas:
            replica.stop_gracefully()
        for proxy in self.running:
            through.dead(proxy, self.cluster, self.secrets[proxy.name])
            lines = through.search_log(proxy, self.secrets[proxy.name])
            print(f"{proxy.name}: no secret in its log of {lines} lines")
        for check in self.long_checks:
            check.verify()
        names = ", ".join(proxy.name for proxy in self.running)
        print(f"through {names}: 60 MB, events at once, wait=90; below a path: links, redirects and cookies")


PARTS = {"monitoring": monitoring.check, "chart": chart.check, "unit": unit.check, "documents": documents.check}


def timed(name, work):
    began = time.monotonic()
    work()
    print(f"check-deploy {name}: {time.monotonic() - began:.0f} s", flush=True)


def main(wanted):
    unknown = set(wanted) - {*PARTS, "proxies"}
    if unknown:
        raise Failed(f"there is no part {', '.join(unknown)}: {', '.join(PARTS)}, proxies")
    wanted = wanted or [*PARTS, "proxies"]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-deploy-"))
        cluster = clusters.Cluster(folder, stack)
        in_front = None
        if "proxies" in wanted:
            in_front = Proxies(cluster, stack)
            timed("proxies, first part", in_front.begin)
        for name, check in PARTS.items():
            if name in wanted:
                timed(name, lambda check=check: check(cluster))
        if in_front:
            timed("proxies, last part", in_front.end)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failed, services.StartFailed) as error:
        print(f"check-deploy: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
