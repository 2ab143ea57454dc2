"""A small annotation product on Sallyport: its customers connect a bucket, choose images and label them.

Settings with *Connect storage* in a frame and by redirect, a webhook, the picker, a project, and annotations that are
saved below `/export/` of the customer's bucket. It has one tenant and one user, and remembers things in memory: a real
product has its own sign-in and database in their place.
"""

import json
import os

import sallyport
from flask import Flask, abort, redirect, render_template_string, request, url_for
from sallyport.rest.api.files import sign_files
from sallyport.rest.api.projects import create_project, list_project_files
from sallyport.rest.api.sign_in import create_sign_in_link
from sallyport.rest.api.storage_setups import open_storage_setup
from sallyport.rest.api.storages import get_storage, list_storages
from sallyport.rest.api.workspaces import create_workspace
from sallyport.rest.models.access import Access
from sallyport.rest.models.connection_settings import ConnectionSettings
from sallyport.rest.models.link_purpose import LinkPurpose
from sallyport.rest.models.new_file import NewFile
from sallyport.rest.models.new_project import NewProject
from sallyport.rest.models.new_sign_in_link import NewSignInLink
from sallyport.rest.models.new_subject import NewSubject
from sallyport.rest.models.new_workspace import NewWorkspace
from sallyport.rest.models.role import Role
from sallyport.rest.models.sign_files import SignFiles
from sallyport.rest.models.signed_method import SignedMethod

SERVER = os.environ["SALLYPORT_URL"]
KEY = os.environ["SALLYPORT_KEY"]
WEBHOOK_SECRET = os.environ["SALLYPORT_WEBHOOK_SECRET"]
ORIGIN = os.environ.get("ANNOTATE_ORIGIN", "http://127.0.0.1:5000")
# The product's own IDs: who is signed in.
TENANT, USER, USER_NAME = "acme", "user-7", "Ada"
ANNOTATIONS = "/export/annotations"

app = Flask(__name__)
# What the product knows by itself. Storage ID -> what the last event said of it.
known = {}
seen_events = set()


def acme():
    """The tenant's client. The workspace is made at the first use."""
    product = sallyport.connect(SERVER, KEY)
    try:
        create_workspace.sync(client=product, body=NewWorkspace(name="Acme", external_id=TENANT))
    except sallyport.errors.ExternalIdTaken:
        pass
    return sallyport.connect(SERVER, KEY, workspace=f"external:{TENANT}", actor=USER)


LAYOUT = """
<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ title }} – Annotate</title>
<style>
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto;
padding: 1rem; } nav a { margin-right: 1rem; } iframe { border: 1px solid #8888; width: 100%; min-height: 30rem; }
img { max-width: 16rem; display: block; } button, input { font: inherit; min-height: 2.5rem; padding: .25rem .75rem; }
</style>
<nav><a href="/">Annotate</a><a href="/settings">Settings</a></nav>
<h1>{{ title }}</h1>
"""


def page(title, body, **values):
    return render_template_string(LAYOUT + body, title=title, **values)


@app.get("/")
def home():
    return page("Annotate", "<p>Label images in your own bucket. Connect it in <a href='/settings'>Settings</a>.</p>")


@app.get("/settings")
def settings():
    storages = list(sallyport.items(list_storages, "storages", client=acme()))
    return page(
        "Settings",
        """
        <h2>Storage</h2>
        {% for storage in storages %}
        <p><strong>{{ storage.bucket }}/{{ storage.prefix }}</strong> {{ known.get(storage.id, "connected") }}
          <a href="{{ url_for('choose', storage=storage.id) }}">Choose images</a></p>
        {% else %}<p>No storage is connected yet.</p>{% endfor %}
        <form method="post" action="/settings/connect"><button>Connect storage</button>
          <button name="redirect" value="1">Connect storage on a page of its own</button></form>
        """,
        storages=storages,
        known=known,
    )


def dialog_link(embed):
    """A link to a setup that has what the product knows already."""
    client = acme()
    known_already = ConnectionSettings(bucket="acme-data", prefix="team/", access=Access.READ_WRITE)
    setup = sallyport.ok(open_storage_setup.sync(client=client, body=known_already))
    wanted = NewSignInLink(
        role=Role.ADMIN,
        purpose=LinkPurpose.SETUP,
        setup_id=setup.id,
        embed=embed,
        return_url=f"{ORIGIN}/connected",
        refresh_url=f"{ORIGIN}/settings",
        subject=NewSubject(id=USER, name=USER_NAME),
    )
    return sallyport.ok(create_sign_in_link.sync(client=client, body=wanted)).url


@app.post("/settings/connect")
def connect():
    if request.form.get("redirect"):
        return redirect(dialog_link(embed=False), code=303)
    return page(
        "Connect storage",
        """
        <iframe id="dialog" src="{{ link }}" title="Connect your storage" allow="clipboard-write"></iframe>
        <script>
        addEventListener("message", ({ origin, data }) => {
          if (origin !== {{ server|tojson }}) return;
          if (data.type === "sallyport.height") document.getElementById("dialog").style.height = `${data.height}px`;
          const end = { "sallyport.completed": "completed", "sallyport.closed": "closed" }[data.type];
          if (end) location = "/connected?" + new URLSearchParams({ status: end, storage_id: data.storage_id ?? "" });
        });
        </script>
        """,
        link=dialog_link(embed=True),
        server=SERVER,
    )


@app.get("/connected")
def connected():
    """The end of the dialog. The query comes from the browser, so the service is asked."""
    if request.args.get("status") != "completed":
        return page("Nothing was connected", "<p><a href='/settings'>Back to the settings</a></p>")
    storage = sallyport.ok(get_storage.sync(request.args["storage_id"], client=acme()))
    return page(
        "Storage connected",
        """<p id="connected">{{ storage.bucket }}/{{ storage.prefix }}</p>
        <p><a href="{{ url_for('choose', storage=storage.id) }}">Choose images</a></p>""",
        storage=storage,
    )


@app.post("/webhooks")
def webhook():
    try:
        event = sallyport.webhooks.verify(WEBHOOK_SECRET, request.get_data(), request.headers)
    except sallyport.webhooks.WebhookVerificationError:
        abort(400)
    event_id = request.headers["webhook-id"]
    storage = event["data"].get("storage_id")
    if event_id not in seen_events and storage and event["type"].startswith("storage."):
        seen_events.add(event_id)
        known[storage] = event["type"].removeprefix("storage.")
    return "", 204


@app.get("/choose/<storage>")
def choose(storage):
    """The picker. The browser gets a token for this storage and this page's origin, never the key."""
    wanted = {"storage_id": storage, "origin": ORIGIN, "operations": ["list", "read"], "expires_in": 3600}
    token = acme().get_httpx_client().post("/v1/browser-tokens", json=wanted).json()["token"]
    return page(
        "Choose images",
        """
        <script src="{{ server }}/embed/picker.js"></script>
        <sallyport-picker server="{{ server }}" storage="{{ storage }}" token="{{ token }}" multiple></sallyport-picker>
        <form method="post" action="/projects" id="chosen"><input type="hidden" name="chosen"></form>
        <script>
        document.querySelector("sallyport-picker").addEventListener("picked", ({ detail }) => {
          const form = document.getElementById("chosen");
          form.elements.chosen.value = JSON.stringify(detail);
          form.submit();
        });
        </script>
        """,
        server=SERVER,
        storage=storage,
        token=token,
    )


@app.post("/projects")
def make_project():
    chosen = json.loads(request.form["chosen"])
    new = NewProject(
        name="Images to label",
        storage_id=chosen["storage_id"],
        files=[NewFile(file_key=key) for key in chosen["file_keys"]],
    )
    project = sallyport.ok(create_project.sync(client=acme(), body=new))
    return redirect(url_for("label", storage=chosen["storage_id"], project=project.id), code=303)


def annotation_key(key):
    return f"{ANNOTATIONS}{key}.json"


@app.get("/label/<storage>/<project>")
def label(storage, project):
    client = acme()
    keys = [file.file_key for file in sallyport.items(list_project_files, "files", project, client=client)]
    signed = sallyport.ok(sign_files.sync(storage, client=client, body=SignFiles(keys=keys, method=SignedMethod.GET)))
    return page(
        "Label the images",
        """
        {% if saved %}<p id="saved" role="status">Saved as {{ saved }}</p>{% endif %}
        {% for file in files %}
        <form method="post"><img src="{{ file.url }}" alt="{{ file.key }}"><p>{{ file.key }}</p>
          <input type="hidden" name="key" value="{{ file.key }}">
          <label>Label <input name="label" required></label> <button>Save</button></form>
        {% endfor %}
        """,
        files=signed.urls,
        saved=request.args.get("saved"),
    )


@app.post("/label/<storage>/<project>")
def save(storage, project):
    key = request.form["key"]
    client = acme()
    in_project = [file.file_key for file in sallyport.items(list_project_files, "files", project, client=client)]
    if key not in in_project:
        abort(404)
    annotation = {"file": key, "label": request.form["label"], "by": USER}
    content = json.dumps(annotation, ensure_ascii=False).encode()
    saved = annotation_key(key)
    sallyport.files.upload(client, storage, saved, content, content_type="application/json")
    return redirect(url_for("label", storage=storage, project=project, saved=saved), code=303)


@app.errorhandler(sallyport.errors.SallyportError)
def refused(problem):
    """What the service refused, in its words; they are written for people."""
    body = "<p>{{ problem.detail }}</p><p>{{ problem.remedy or '' }}</p><p>Request {{ problem.request_id }}</p>"
    return page("This did not work", body, problem=problem), 502


if __name__ == "__main__":
    app.run(port=int(ORIGIN.rsplit(":", 1)[1]))
