// Selection of files, and uploads as a queue. Both also work with plain forms, without this script.
"use strict";

const plural = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

function sizeInWords(bytes) {
  if (bytes < 1000) return plural(bytes, "byte");
  const units = ["KB", "MB", "GB", "TB"];
  let at = -1;
  for (; bytes >= 999.95 && at < 3; at += 1) bytes /= 1000;
  return `${bytes.toFixed(1)} ${units[at]}`;
}

function selection(form) {
  const boxes = [...form.querySelectorAll('input[name="key"]')];
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");
  if (!count) return;
  const hint = count.textContent;
  const show = () => {
    const chosen = boxes.filter((box) => box.checked);
    all.checked = chosen.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && !all.checked;
    const bytes = chosen.reduce((sum, box) => sum + Number(box.dataset.bytes), 0);
    count.textContent = chosen.length ? `${plural(chosen.length, "file")} selected · ${sizeInWords(bytes)}` : hint;
    for (const button of form.querySelectorAll(".bulk button")) button.disabled = !chosen.length;
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  // A restored page keeps its checked boxes.
  addEventListener("pageshow", show);
  show();
}
for (const form of document.querySelectorAll("form[data-selection]")) selection(form);

/** Shows the folder as it is now, unless somebody has selected files in it. */
async function refresh() {
  const shown = document.querySelector("[data-listing]");
  if (!shown || shown.querySelector('input[name="key"]:checked')) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-listing]");
    if (!now) return;
    shown.replaceChildren(...now.childNodes);
    localTimes(shown);
    for (const form of shown.querySelectorAll("form[data-selection]")) selection(form);
  } catch { /* The page stays as it was. */ }
}

/** How many files are sent at once. */
const AT_ONCE = 3;

class Queue {
  constructor(form) {
    this.form = form;
    this.part = document.querySelector("[data-queue]");
    this.list = this.part.querySelector("ul");
    this.words = this.part.querySelector("[data-words]");
    this.all = (name) => this.part.querySelector(`[data-${name}-all]`);
    this.items = [];
    this.all("cancel").addEventListener("click", () => {
      for (const item of this.items) if (item.state === "waiting" || item.state === "sending") this.cancel(item);
    });
    this.all("retry").addEventListener("click", () => this.again("failed", {}));
    this.all("replace").addEventListener("click", () => this.again("exists", { replace: true }));
    addEventListener("beforeunload", (event) => {
      if (this.count("sending") + this.count("waiting")) event.preventDefault();
    });
  }

  count(state) { return this.items.filter((item) => item.state === state).length; }

  add(files) {
    this.part.hidden = false;
    const replace = this.form.elements.replace.checked;
    for (const { file, name } of files) {
      const row = document.createElement("li");
      row.className = "up";
      const item = { file, name, replace, row, state: "waiting", done: 0 };
      this.items.push(item);
      this.list.append(row);
      this.draw(item);
    }
    this.next();
  }

  again(state, change) {
    for (const item of this.items) {
      if (item.state === state) this.set(Object.assign(item, change), "waiting");
    }
    this.next();
  }

  cancel(item) {
    this.set(item, "cancelled");
    item.request?.abort();
    this.next();
  }

  set(item, state, why = "") {
    item.state = state;
    item.why = why;
    this.draw(item);
  }

  next() {
    for (let free = AT_ONCE - this.count("sending"); free > 0; free -= 1) {
      const item = this.items.find((one) => one.state === "waiting");
      if (!item) break;
      this.send(item);
    }
    this.tell();
  }

  tell() {
    const total = this.items.length;
    const number = (state) => this.count(state);
    const left = number("waiting") + number("sending");
    const done = number("done");
    const parts = left
      ? [`Uploading ${total - left + 1} of ${total}`]
      : [done ? `${plural(done, "file")} uploaded` : "Nothing was uploaded"];
    if (left && done) parts.push(`${done} done`);
    if (number("exists")) parts.push(`${number("exists")} exist already`);
    if (number("failed")) parts.push(`${number("failed")} failed`);
    if (number("cancelled")) parts.push(`${number("cancelled")} cancelled`);
    this.words.textContent = parts.join(" · ");
    this.part.dataset.left = left;
    this.all("cancel").hidden = left === 0;
    this.all("retry").hidden = left > 0 || number("failed") === 0;
    this.all("replace").hidden = left > 0 || number("exists") < 2;
    if (!left && done !== this.shown) {
      this.shown = done;
      refresh();
    }
  }

  send(item) {
    this.set(item, "sending");
    const data = new FormData();
    // The server reads the fields in order: each must come before the file that it describes.
    data.append("csrf", this.form.elements.csrf.value);
    data.append("folder", this.form.elements.folder.value);
    if (item.replace) data.append("replace", "yes");
    data.append("answer", "json");
    data.append("size", String(item.file.size));
    data.append("file", item.file, item.name);
    const request = new XMLHttpRequest();
    item.request = request;
    item.began = performance.now();
    const ends = (state, why) => {
      if (item.request !== request || item.state !== "sending") return;
      item.request = null;
      this.set(item, state, why);
      this.next();
    };
    request.upload.addEventListener("progress", (event) => {
      if (item.state !== "sending" || !event.lengthComputable) return;
      item.done = event.loaded / event.total;
      item.rate = event.loaded / Math.max(1, performance.now() - item.began) * 1000;
      this.draw(item);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) return ends("done");
      let said = {};
      try { said = JSON.parse(request.responseText); } catch { /* A page, of a fault that is no file's. */ }
      if (said.exists) return ends("exists");
      const page = said.detail ? null : new DOMParser().parseFromString(request.responseText, "text/html");
      ends("failed", said.detail || page.querySelector("main .card p")?.textContent.trim() || `The server answered ${request.status}.`);
    });
    request.addEventListener("error", () => ends("failed", "The connection broke. Look in the folder before you try again: the file may be there."));
    request.open("POST", this.form.action);
    request.send(data);
  }

  draw(item) {
    const what = document.createElement("bdi");
    what.className = "what";
    what.textContent = item.name;
    const says = document.createElement("span");
    says.className = "says";
    const button = (text, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "plain";
      made.textContent = text;
      made.setAttribute("aria-label", `${text} ${item.name}`);
      made.addEventListener("click", act);
      says.append(" ", made);
    };
    const parts = [what, says];
    const again = (change) => () => { this.set(Object.assign(item, change), "waiting"); this.next(); };
    switch (item.state) {
      case "waiting":
        says.append(sizeInWords(item.file.size));
        button("Cancel", () => this.cancel(item));
        break;
      case "sending": {
        // The last bytes have left the browser before the bucket has them.
        if (item.row.dataset.state === "sending") {
          item.row.querySelector("progress").value = item.done;
          item.row.querySelector("[data-rate]").textContent = this.progress(item);
          return;
        }
        const rate = document.createElement("span");
        rate.dataset.rate = "";
        rate.textContent = this.progress(item);
        says.append(rate);
        button("Cancel", () => this.cancel(item));
        const bar = document.createElement("progress");
        bar.max = 1;
        bar.value = item.done;
        bar.setAttribute("aria-label", item.name);
        parts.push(bar);
        break;
      }
      case "done": says.append("Uploaded"); break;
      case "cancelled":
        says.append("Cancelled");
        button("Retry", again({ done: 0 }));
        break;
      case "exists":
        says.append("A file with this name exists");
        button("Replace", again({ replace: true, done: 0 }));
        button("Keep both", again({ name: beside(item.name), done: 0 }));
        break;
      default: {
        says.append("Not uploaded");
        button("Retry", again({ done: 0 }));
        const why = document.createElement("span");
        why.className = "why";
        why.textContent = item.why;
        parts.push(why);
      }
    }
    item.row.dataset.state = item.state;
    item.row.replaceChildren(...parts);
  }

  progress(item) {
    if (item.done >= 1) return "Storing…";
    const left = item.file.size * (1 - item.done) / (item.rate || 1);
    const parts = [`${Math.floor(item.done * 100)} %`];
    if (item.rate > 0 && performance.now() - item.began > 2000) parts.push(`${sizeInWords(item.rate)}/s`, `${Math.ceil(left)} s`);
    return parts.join(" · ");
  }
}

/** `labels.csv` → `labels (2).csv` → `labels (3).csv` */
function beside(name) {
  const [, stem, number, ending] = /^(.*?)(?: \((\d+)\))?(\.[^./]*)?$/s.exec(name);
  return `${stem} (${Number(number || 1) + 1})${ending || ""}`;
}

/** The files of what was dropped, folders with all that is in them. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ file, name: entry.fullPath.replace(/^\//, "") });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      // A browser gives the entries of a folder in parts.
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const one of some) await walk(one);
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  const queue = new Queue(form);
  const input = form.elements.file;
  const drop = form.querySelector(".drop");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.querySelector("[data-error]").replaceChildren();
    queue.add([...input.files].map((file) => ({ file, name: file.name })));
    input.value = "";
    // The form may be sent again at once; its button keeps its word.
    event.stopPropagation();
  });
  const over = (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.toggle("over", event.type === "dragover");
  };
  addEventListener("dragover", over);
  addEventListener("dragleave", over);
  addEventListener("drop", async (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.remove("over");
    try {
      queue.add(await dropped(event.dataTransfer));
      form.closest("section").scrollIntoView({ block: "nearest" });
    } catch {
      announce("The files could not be read.");
    }
  });
}
