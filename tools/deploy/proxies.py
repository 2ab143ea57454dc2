"""The proxies of deploy/, with the files as they are but for ports, addresses and folders."""

import os
import shutil

from cluster import DEPLOY, HOST, Failed, services


def program(name):
    """Debian has some of them where only root's PATH leads."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        raise Failed(f"{name} is not installed: run `tools/install proxies`")
    return found


def adapted(path, changes):
    """The file's text with these changes, each of which must be there."""
    with open(os.path.join(DEPLOY, path), encoding="utf-8") as file:
        text = file.read()
    for old, new in changes.items():
        if old not in text:
            raise Failed(f"deploy/{path} has no `{old}`")
        text = text.replace(old, new)
    return text


class Proxy(services.Server):
    """A proxy in a folder of its own. `port` speaks TLS, `plain` does not."""

    # How many requests it passes on during a rolling restart.
    requests = 10_000

    def __init__(self, cluster, replicas):
        self.folder = os.path.join(cluster.folder, f"{self.name}-{replicas[0].port}")
        os.makedirs(self.folder)
        super().__init__(os.path.join(self.folder, "output.log"))
        self.port, self.plain = services.free_port(), services.free_port()
        self.tls = cluster.certificate
        self.addresses = [f"127.0.0.1:{replica.port}" for replica in replicas]

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def logged(self):
        """Everything that it has written."""
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".log"):
                with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def listens(self):
        """Whether both ports are taken."""
        return not services.port_is_free(self.port) and not services.port_is_free(self.plain)


class Nginx(Proxy):
    name = "nginx"

    def sites(self):
        return adapted(
            "nginx/sallyport.conf",
            {
                "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
                "listen 80;": f"listen 127.0.0.1:{self.plain};",
                "/etc/ssl/sallyport": self.tls,
                "/var/log/nginx": self.folder,
                "127.0.0.1:8080": self.addresses[0],
                "127.0.0.1:8081": self.addresses[-1],
            },
        )

    def start(self):
        self.write("snippets/sallyport-proxy.conf", adapted("nginx/sallyport-proxy.conf", {}))
        self.write("sites.conf", self.sites())
        main = [
            "user root;" if os.geteuid() == 0 else "",
            "daemon off;",
            "worker_processes 2;",
            f"pid {self.folder}/nginx.pid;",
            f"error_log {self.folder}/main.log crit;",
            "events { worker_connections 1024; }",
            "http {",
            *(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
            "access_log off;",
            "include sites.conf;",
            "}",
        ]
        path = self.write("nginx.conf", "\n".join(main))
        self.spawn([program("nginx"), "-p", self.folder, "-c", path, "-e", f"{self.folder}/early.log"])
        self.wait_until(self.listens)


class NginxBelowPath(Nginx):
    """nginx with something else beside the service, which is below /sallyport/."""

    name = "nginx-sub-path"

    def sites(self):
        sub_path = adapted("nginx/sallyport-sub-path.conf", {"/var/log/nginx": self.folder})
        self.write("sallyport-sub-path.conf", sub_path)
        text = super().sites()
        # The server of the service at the root becomes the other site.
        begin = text.index("    location / {")
        end = text.index("    location = /metrics")
        other = '    location / { return 200 "something else\\n"; }\n    include sallyport-sub-path.conf;\n'
        return text[:begin] + other + text[end:]


class HaProxy(Proxy):
    name = "haproxy"

    def start(self):
        text = adapted(
            "haproxy/haproxy.cfg",
            {
                "log /dev/log local0": "log stdout format raw local0",
                "bind :443 ssl": f"bind 127.0.0.1:{self.port} ssl",
                "bind :80": f"bind 127.0.0.1:{self.plain}",
                "/etc/ssl/sallyport": self.tls,
                "127.0.0.1:8080": self.addresses[0],
                "127.0.0.1:8081": self.addresses[1],
            },
        )
        path = self.write("haproxy.cfg", text)
        self.spawn([program("haproxy"), "-db", "-f", path])
        self.wait_until(self.listens)


class Caddy(Proxy):
    name = "caddy"
    requests = 2_000

    def start(self):
        text = adapted(
            "caddy/Caddyfile",
            {
                f"\n{HOST} {{\n": f"\n{HOST} {{\n\ttls {self.tls}/fullchain.pem {self.tls}/privkey.pem\n",
                "{\n\tlog default": f"{{\n\tadmin off\n\thttp_port {self.plain}\n\thttps_port {self.port}\n\tlog default",
                "/var/log/caddy": self.folder,
                "127.0.0.1:8080 127.0.0.1:8081": " ".join(self.addresses),
            },
        )
        path = self.write("Caddyfile", text)
        home = {"HOME": self.folder, "PATH": os.environ["PATH"]}
        self.spawn([program("caddy"), "run", "--config", path, "--adapter", "caddyfile"], env=home)
        self.wait_until(self.listens)
