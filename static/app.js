// Scripts for the pages. The pages also work without them.
"use strict";

document.documentElement.classList.add("js");

/** The address of an icon of the sprite. */
const iconAt = (name) => `${document.querySelector("meta[name=icons]")?.content ?? ""}#${name}`;

/** An icon of the sprite, as an element. */
function iconOf(name, kind = "icon") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", kind);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", iconAt(name));
  svg.append(use);
  return svg;
}

/** Shows times in the viewer's time zone; the server's text stays as the title, or the exact time is it. */
function localTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.dataset.local = "";
    if ("ago" in time.dataset) {
      time.title = format.format(at);
    } else {
      time.title = time.textContent;
      time.textContent = format.format(at);
    }
  }
}

/** The colours of documents: names, texts and comments, without a change to the text. */
function colour() {
  if (!window.CSS?.highlights) return;
  const kinds = { "code-key": [], "code-text": [], "code-note": [] };
  for (const pre of document.querySelectorAll("pre[data-code]")) {
    const pieces = [];
    const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
    let text = "";
    while (walker.nextNode()) {
      pieces.push([text.length, walker.currentNode]);
      text += walker.currentNode.data;
    }
    const place = (at) => {
      const [from, node] = pieces.findLast(([start]) => start <= at);
      return [node, at - from];
    };
    const notes = pre.dataset.code === "json" ? "" : "(^[ \\t]*#.*$)|";
    const pattern = new RegExp(`${notes}("(?:[^"\\\\\\n]|\\\\.)*"(?=\\s*:))|("(?:[^"\\\\\\n]|\\\\.)*"|'[^'\\n]*')|^[ \\t-]*([\\w.:]+)(?=:(?: |$)|[ \\t]+=[ \\t])`, "gm");
    for (const found of text.matchAll(pattern)) {
      const groups = notes ? found.slice(1) : [undefined, ...found.slice(1)];
      const kind = groups[0] ? "code-note" : groups[1] || groups[3] ? "code-key" : "code-text";
      const part = groups.find(Boolean);
      const start = found.index + found[0].lastIndexOf(part);
      const range = new StaticRange({
        startContainer: place(start)[0], startOffset: place(start)[1],
        endContainer: place(start + part.length - 1)[0], endOffset: place(start + part.length - 1)[1] + 1,
      });
      kinds[kind].push(range);
    }
  }
  for (const [kind, ranges] of Object.entries(kinds)) CSS.highlights.set(kind, new Highlight(...ranges));
}

/** Announces a text to screen readers without moving the focus. */
function announce(text) {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
}

/** The text that a copy button copies: its own value, or that of the element it names. */
function textOf(button) {
  if (button.dataset.copy !== undefined) return button.dataset.copy;
  const source = document.getElementById(button.dataset.copyFrom);
  return source ? source.textContent : "";
}

/** In a frame, which may be higher than what is seen of it, a dialog opens where it was asked for. */
function placeBeside(dialog, opener) {
  if (parent === window) return;
  const gap = 16;
  // Measured before it is shown: then it gets the focus, and the pages around scroll to it.
  dialog.open = true;
  const lowest = innerHeight - dialog.offsetHeight - gap;
  dialog.open = false;
  const top = Math.max(gap, Math.min(opener.getBoundingClientRect().top, lowest));
  dialog.style.marginTop = `${top}px`;
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy], [data-copy-from]");
  if (copy) {
    const label = copy.querySelector("[data-label]") || copy;
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(textOf(copy));
      label.textContent = "Copied";
      label.dataset.said = "";
      announce("Copied");
    } catch {
      label.textContent = "Press Ctrl+C";
      const source = document.getElementById(copy.dataset.copyFrom);
      if (source) getSelection().selectAllChildren(source);
    }
    setTimeout(() => { label.textContent = before; delete label.dataset.said; }, 2000);
    return;
  }
  const unfold = event.target.closest("[data-unfold]");
  if (unfold) {
    const whole = unfold.previousElementSibling.classList.toggle("whole");
    unfold.textContent = whole ? "Show less" : unfold.dataset.unfold;
    return;
  }
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog && dialog.showModal) {
      event.preventDefault();
      placeBeside(dialog, opener);
      dialog.showModal();
    }
    return;
  }
  const closer = event.target.closest("[data-close-dialog]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
});

// Close a menu on a click elsewhere or on Escape.
const openMenus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
});

/** A submitted form shows that it is busy, and is not submitted twice. */
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  // After a download the page is still there, and may send its form again.
  if (!button || button.form.hasAttribute("hx-post") || button.hasAttribute("data-download")) return;
  if (button.form.dataset.sent) {
    event.preventDefault();
    return;
  }
  button.form.dataset.sent = "yes";
  if (button.dataset.busy) button.textContent = button.dataset.busy;
});
// A page restored from the browser's back/forward cache may submit its forms again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Focus the first invalid field.
const refused = document.querySelector("main [aria-invalid=true]");
if (refused) refused.focus();

function improve(root) {
  localTimes(root);
  colour();
}
document.addEventListener("htmx:load", (event) => improve(event.target));
improve(document);

// Keep typed values while the user leaves the page to choose files, until the form is submitted.
for (const field of document.querySelectorAll("[data-remember]")) {
  const name = field.dataset.remember;
  field.value ||= sessionStorage.getItem(name) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(name, field.value));
  field.form.addEventListener("submit", (event) => {
    if (!event.submitter?.hasAttribute("formaction")) sessionStorage.removeItem(name);
  });
}

// After a check, what the page says elsewhere about the connection is as the check found it.
document.addEventListener("check-ended", async () => {
  const parts = document.querySelectorAll("[data-live]");
  if (!parts.length) return;
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const fresh = page.getElementById(part.id);
      if (fresh) part.replaceWith(fresh);
    }
    improve(document);
  } catch { /* It is right again as soon as the page is loaded. */ }
});
