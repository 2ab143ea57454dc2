"""What is asked of the service while it fails, and what must be true of it afterwards."""

import time

from world import OPERATOR, Failed

# A repetition waits for the lease of the request that was cut off: 15 s.
REPEAT_SECONDS = 60
PART = 6 << 20


class Deed:
    """A request that makes something, with a name of its own by which what it made is found."""

    def __init__(self, world, kind, name, setup=None):
        self.kind = kind
        self.name = name
        self.setup = setup
        self.answer = None
        self.repeated = False
        self.token = world.admin
        self.options = {"key": f"key-{name}"}
        self.method = "POST"
        self.query = {}
        files = f"/v1/storages/{world.storage}/files/content"
        match kind:
            case "workspace":
                self.token = OPERATOR
                self.path, self.body = "/v1/workspaces", {"name": name}
            case "token":
                self.token = OPERATOR
                self.path = f"/v1/workspaces/{world.workspace}/tokens"
                self.body = {"name": name, "role": "member"}
            case "product key":
                self.token = OPERATOR
                self.path, self.body = "/v1/keys", {"name": name, "scopes": ["workspaces:read"]}
            case "sign-in link":
                self.path = "/v1/sign-in-links"
                self.body = {"role": "admin", "purpose": "settings", "return_url": f"https://app.example.com/{name}"}
            case "setup":
                self.path, self.body = "/v1/storage-setups", {"display_name": name, "bucket": "acme-data"}
            case "completion":
                self.path, self.body = f"/v1/storage-setups/{setup}/complete", {}
            case "project":
                self.path = "/v1/projects"
                keys = ["/readme.txt", "/images/rings.png"]
                self.body = {"name": name, "storage_id": world.storage, "files": [{"file_key": key} for key in keys]}
            case "import":
                self.path = "/v1/projects"
                self.body = {"name": name, "storage_id": world.storage, "on_missing": "skip"}
                self.body["manifest_file_key"] = "/lists/many.txt"
            case "upload" | "upload in parts":
                size = 200_000 if kind == "upload" else 2 * PART
                self.method, self.path, self.query = "PUT", files, {"key": f"/faults/{name}"}
                self.body = (name.encode() + b"\n") * (size // (len(name) + 1))
                self.options = {"chunked": kind == "upload in parts"}
            case "check":
                self.path, self.body, self.options = f"/v1/storage-setups/{setup}/check", {}, {}
            case _:
                raise ValueError(kind)

    @property
    def has_key(self):
        return "key" in self.options

    @property
    def is_acknowledged(self):
        return self.answer is not None and 200 <= self.answer.status < 300

    def send(self, world):
        self.answer = world.client.send(
            self.method, self.path, self.token, self.body, query=self.query, **self.options
        )
        return self.answer

    def repeat(self, world):
        """Sends it again until it is done: with the same key, or an upload to the same file key."""
        self.repeated = True
        deadline = time.monotonic() + REPEAT_SECONDS
        while True:
            answer = self.send(world)
            if self.is_acknowledged:
                return
            if time.monotonic() > deadline:
                raise Failed(f"{self.kind} {self.name}: repeated for {REPEAT_SECONDS} s, and refused: {answer}")
            if answer is not None and answer.code not in (
                "idempotency_key_in_progress",
                "database_unavailable",
                "database_outcome_unknown",
                "database_full",
                "storage_unavailable",
                "storage_timeout",
                "upload_outcome_unknown",
                "storage_throttled",
            ):
                raise Failed(f"{self.kind} {self.name}: a repetition was refused: {answer}")
            time.sleep(0.5)


# What each kind of deed made, by its name.
COUNTS = {
    "workspace": "SELECT name, COUNT(*) FROM workspaces GROUP BY name",
    "token": "SELECT name, COUNT(*) FROM api_tokens GROUP BY name",
    "product key": "SELECT name, COUNT(*) FROM product_keys GROUP BY name",
    "sign-in link": "SELECT return_url, COUNT(*) FROM sign_in_links GROUP BY return_url",
    "setup": "SELECT display_name, COUNT(*) FROM setups GROUP BY display_name",
    "completion": "SELECT setup_id, COUNT(*) FROM storages GROUP BY setup_id",
    "project": "SELECT name, COUNT(*) FROM projects GROUP BY name",
}

# Each must find nothing.
HALVES = {
    "a completed setup without a storage": "SELECT id FROM setups WHERE status = 'completed' AND NOT EXISTS"
    " (SELECT 1 FROM storages WHERE setup_id = setups.id)",
    "a storage whose setup is not completed": "SELECT s.id FROM storages s JOIN setups p ON p.id = s.setup_id"
    " WHERE p.status <> 'completed'",
    "a setup whose external ID is not recorded": "SELECT id FROM setups WHERE external_id NOT IN"
    " (SELECT external_id FROM external_ids)",
    "a project whose files are not those it counts": "SELECT id FROM projects WHERE status <> 'failed' AND"
    " file_count <> (SELECT COUNT(*) FROM project_files WHERE project_id = projects.id)",
    "a storage that miscounts its projects": "SELECT id FROM storages WHERE project_count <>"
    " (SELECT COUNT(*) FROM projects WHERE storage_id = storages.id)",
    "an import that nobody goes on with": "SELECT id FROM projects WHERE status = 'importing' AND NOT EXISTS"
    " (SELECT 1 FROM jobs WHERE kind = 'import' AND subject_id = projects.id)",
    "a storage that nobody checks": "SELECT id FROM storages WHERE NOT EXISTS"
    " (SELECT 1 FROM jobs WHERE kind = 'check' AND subject_id = storages.id)",
}


def found_as(deed):
    match deed.kind:
        case "completion":
            return "completion", deed.setup
        case "sign-in link":
            return "sign-in link", f"https://app.example.com/{deed.name}"
        case "import":
            return "project", deed.name
    return deed.kind, deed.name


def verify(world, deeds):
    """Fails where something acknowledged is lost, something is there twice, or only half of it."""
    counts = {kind: dict(world.database.rows(sql)) for kind, sql in COUNTS.items()}
    for deed in deeds:
        kind, name = found_as(deed)
        if kind in counts:
            found = int(counts[kind].get(name, 0))
            if found > 1:
                raise Failed(f"{deed.kind} {deed.name} was made {found} times; repeated: {deed.repeated}")
            if found == 0 and deed.is_acknowledged:
                raise Failed(f"{deed.kind} {deed.name} was acknowledged and is lost: {deed.answer}")
            refused = deed.answer is not None and not deed.is_acknowledged
            if found and refused and deed.answer.code != "database_outcome_unknown":
                raise Failed(f"{deed.kind} {deed.name} was refused and is there: {deed.answer}")
        elif deed.method == "PUT" and deed.is_acknowledged:
            got = world.client.send("GET", deed.path, deed.token, query=deed.query)
            if got is None or got.status != 200 or got.content != deed.body:
                raise Failed(f"{deed.kind} {deed.name} was acknowledged, and its bytes are not there: {got}")
        if deed.is_acknowledged and "location" in deed.answer.headers:
            path = deed.answer.headers["location"]
            if deed.kind != "token" and world.client.send("GET", path, deed.token).status != 200:
                raise Failed(f"{deed.kind} {deed.name} was acknowledged, and {path} is not there")
    for what, sql in HALVES.items():
        if halves := world.database.rows(sql):
            raise Failed(f"half made: {what}: {halves[:5]}")
