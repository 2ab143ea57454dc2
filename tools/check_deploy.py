"""Runs or lints everything in deploy/, and the commands of docs/deploy.md: tools/check-deploy [PART]...

The parts: proxies monitoring chart unit documents. Without a part: all.
"""

import contextlib
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "deploy"))
import cluster as clusters  # noqa: E402
import proxies  # noqa: E402
import rolling  # noqa: E402
import through  # noqa: E402
from cluster import Failed, services  # noqa: E402


def check_proxies():
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-deploy-"))
        cluster = clusters.Cluster(folder, stack)
        kinds = (proxies.Nginx, proxies.HaProxy, proxies.Caddy)
        running = [stack.enter_context(kind(cluster, cluster.replicas)) for kind in kinds]
        long_checks = [through.LongCheck(cluster, proxy) for proxy in running]
        for check in long_checks:
            check.start()
        secrets = {}
        for proxy in running:
            through.large_file(cluster, proxy)
            through.first_event(cluster, proxy)
            secrets[proxy.name] = through.links(cluster, proxy)
            through.search_log(proxy, secrets[proxy.name])
        for check in long_checks:
            check.verify()
        print(f"through {', '.join(kind.name for kind in kinds)}: 60 MB, events at once, wait=90")
        counts, restarts = rolling.restart(cluster, running)
        print(f"{restarts} restarts without a lost request: {counts}")
        for proxy in running:
            through.failures(cluster, proxy, secrets[proxy.name])
        for replica in cluster.replicas:
            replica.stop_gracefully()
        for proxy in running:
            through.dead(proxy, cluster, secrets[proxy.name])
            lines = through.search_log(proxy, secrets[proxy.name])
            print(f"{proxy.name}: no secret in its log of {lines} lines")


PARTS = {"proxies": check_proxies}


def main(wanted):
    for name in wanted or PARTS:
        if name not in PARTS:
            raise Failed(f"there is no part {name}: {', '.join(PARTS)}")
        began = time.monotonic()
        PARTS[name]()
        print(f"check-deploy {name}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failed, services.StartFailed) as error:
        print(f"check-deploy: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
