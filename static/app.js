// Scripts for the pages. The pages also work without them.
"use strict";

document.documentElement.classList.add("js");

/** Shows times in the viewer's time zone; the server's text stays as the title. */
function localTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.title = time.textContent;
      time.textContent = format.format(at);
    }
  }
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

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy], [data-copy-from]");
  if (copy) {
    const label = copy.querySelector("[data-label]") || copy;
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(textOf(copy));
      label.textContent = "Copied";
      announce("Copied");
    } catch {
      label.textContent = "Press Ctrl+C";
      const source = document.getElementById(copy.dataset.copyFrom);
      if (source) getSelection().selectAllChildren(source);
    }
    setTimeout(() => { label.textContent = before; }, 2000);
    return;
  }
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog && dialog.showModal) {
      event.preventDefault();
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
  if (!button || button.form.hasAttribute("hx-post")) return;
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

document.addEventListener("htmx:load", (event) => localTimes(event.target));
localTimes(document);

// Keep typed values while the user leaves the page to choose files, until the form is submitted.
for (const field of document.querySelectorAll("[data-remember]")) {
  const name = field.dataset.remember;
  field.value ||= sessionStorage.getItem(name) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(name, field.value));
  field.form.addEventListener("submit", (event) => {
    if (!event.submitter?.hasAttribute("formaction")) sessionStorage.removeItem(name);
  });
}
