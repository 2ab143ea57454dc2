"""The example in a browser: from *Settings* to a saved annotation, in a frame and by redirect."""

import json
import os

import dev_scene
import services
import webdriver
from dev_scene import SceneFailed, expect

EXAMPLE = os.path.join(services.ROOT, "examples", "annotate", "run")
IMAGE = "/images/rings.png"

# Elements of the picker, which are in its shadow tree.
ENTRY = """
    const entries = [...document.querySelector("sallyport-picker").shadowRoot?.querySelectorAll("[role=option]") ?? []];
    return entries.find((entry) => entry.querySelector("bdi")?.textContent === arguments[0]);"""
CHOOSE = """
    const buttons = [...document.querySelector("sallyport-picker").shadowRoot.querySelectorAll("button")];
    return buttons.find((button) => button.textContent === "Choose" && button.checkVisibility() && !button.disabled);"""


class Annotate(services.Server):
    """The example, started by its one command."""

    name = "examples/annotate"

    def __init__(self, folder, origin):
        super().__init__(os.path.join(folder, "annotate.log"))
        self.folder = folder
        self.origin = origin

    def start(self):
        self.spawn([EXAMPLE, self.folder], env=dev_scene.environment(ANNOTATE_ORIGIN=self.origin))
        self.wait_until(lambda: services.answers(self.origin))


def finish_dialog(page, dev):
    """What people do in the dialog while the customer's administrator applies the documents elsewhere."""
    setup = page.wait(
        "the dialog",
        "return document.readyState === 'complete' && (location.pathname.match(/setups\\/(set_[0-9a-f]+)/) ?? [])[1]",
    )
    dev.call("/dev/customer/apply", {"setup_id": setup})
    page.script("location.search = '?step=check'")
    page.find("#check-card")
    # With a script the page begins by itself where the role is known.
    begins = "return document.querySelector('form[data-wait]') !== null"
    if not page.script(begins) and not page.script("return !!document.querySelector('#verdict[data-ended]')"):
        page.click("form[data-check] button")
    page.find("#verdict[data-ended]")
    page.press("Add storage")


def annotate(page, product, label):
    """Chooses an image in the picker, and labels it."""
    page.wait("the return", f"return location.href.startsWith({json.dumps(product.origin)}) && !!document.querySelector('#connected')")
    shown = page.script("return document.querySelector('#connected').innerText")
    if shown != "acme-data/team/":
        raise SceneFailed(f"the product shows {shown!r} after the return")
    page.press("Choose images")
    # Within the picker: a folder is opened, a file selected.
    for name in ("images", "rings.png"):
        page.click_element(lambda name=name: page.wait(f"{name} in the picker", ENTRY, name))
    page.click_element(lambda: page.wait("the picker's button", CHOOSE))
    page.wait("the label's form", "return location.pathname.startsWith('/label/')")
    loaded = "const image = document.querySelector('img'); return image?.complete && image.naturalWidth === 256"
    page.wait("the image, by its signed URL", loaded)
    page.type("input[name=label]", label)
    page.press("Save")
    page.find("#saved")
    return page.script("return location.pathname.split('/')[2]")


def saved_annotation(dev, storage):
    tenant = dev.api(dev.state["key"], **{"Sallyport-Workspace": "external:acme"})
    path = f"/v1/storages/{storage}/files/content"
    return json.loads(_content(tenant("GET", path, key=f"/export/annotations{IMAGE}.json")))


def _content(answer):
    if answer.status != 200:
        expect(answer, 200)
    return answer.content


def main():
    origin = f"http://127.0.0.1:{services.free_port()}"
    with (
        dev_scene.scene("--origin", origin, "--webhook", f"{origin}/webhooks") as dev,
        Annotate(dev.folder, origin) as product,
        webdriver.browser() as page,
    ):
        try:
            page.goto(f"{origin}/settings")
            page.press("Connect storage")
            page.enter_frame("iframe#dialog")
            finish_dialog(page, dev)
            page.leave_frame()
            storage = annotate(page, product, "in a frame")
            wanted = {"file": IMAGE, "label": "in a frame", "by": "user-7"}
            if saved_annotation(dev, storage) != wanted:
                raise SceneFailed("the annotation is not what was entered")
            # The webhook came, and its signature was right.
            page.wait("the event", "return fetch('/settings').then((a) => a.text()).then((t) => t.includes('created'))")

            page.goto(f"{origin}/settings")
            page.press("Connect storage on a page")
            finish_dialog(page, dev)
            second = annotate(page, product, "by redirect")
            if second == storage or saved_annotation(dev, second)["label"] != "by redirect":
                raise SceneFailed("the second storage is not the one of the redirect")
        except (webdriver.NotSeen, webdriver.Refused) as failed:
            raise SceneFailed(f"examples/annotate: {failed}\n{product.log_tail()}") from failed
    print("examples/annotate works, in a frame and by redirect")
