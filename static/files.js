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
/** Files above this size are sent in parts, in bytes. */
const LARGE = 16 * 2 ** 20;
/** How long to wait before a request is repeated, in milliseconds. */
const PAUSES = [1000, 2000, 4000];
/** Answers that would be the same the next time. */
const FINAL = [401, 403, 404, 409, 412, 413, 422, 424];
const BROKE = "The connection broke. Look in the folder before you try again: the file may be there.";
const LEFT_OVER = "Parts of the file may still be in the bucket. A lifecycle rule for incomplete multipart uploads removes them.";

/** Why a request did not do what it should. `status` is 0 where nothing was answered. */
class Refusal extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }

  static of(status, text) {
    let said = {};
    try { said = JSON.parse(text) ?? {}; } catch { /* It comes from something in between. */ }
    const words = [said.detail, said.remedy].filter(Boolean).join(" ") || `The server answered ${status}.`;
    return new Refusal(status, words.replace(/([\p{L}\p{N}])'(?!\p{N})/gu, "$1’"));
  }
}

/** One try to send a file. */
class Run {
  /** Sends a form. `goes`: until when it may be cut off: "whole", "part" (until the server has all of it), or "short" (never). */
  post(url, data, goes, sent = () => {}) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      this.mayCut = goes !== "short";
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) sent(event.loaded / event.total);
      });
      request.upload.addEventListener("load", () => {
        if (goes === "part") this.mayCut = false;
      });
      request.addEventListener("load", () => {
        if (request.status < 200 || request.status > 299) return reject(Refusal.of(request.status, request.responseText));
        try {
          resolve(request.responseText ? JSON.parse(request.responseText) : {});
        } catch {
          reject(new Refusal(request.status, "The server’s answer could not be read. Look in the folder before you try again."));
        }
      });
      for (const end of ["error", "abort"]) request.addEventListener(end, () => reject(new Refusal(0, BROKE)));
      request.open("POST", url);
      request.send(data);
    });
  }

  pause(milliseconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }

  stop() {
    this.stopped = true;
    this.wake?.();
    if (this.mayCut) this.request?.abort();
  }

  /** What comes next is not done any more. */
  goOn() { if (this.stopped) throw new Refusal(0, "Cancelled"); }
}

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
    this.all("retry").addEventListener("click", () => this.again("failed"));
    this.all("replace").addEventListener("click", () => this.again("exists", { replace: true }));
    addEventListener("beforeunload", (event) => {
      if (this.count("sending") + this.count("waiting")) event.preventDefault();
    });
    addEventListener("pagehide", () => {
      for (const item of this.items) if (item.run?.upload) this.giveUp(item.run);
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
      if (item.state === state) this.restart(item, change);
    }
    this.next();
  }

  restart(item, change) {
    this.set(Object.assign(item, { run: null, done: 0 }, change), "waiting");
  }

  cancel(item) {
    this.set(item, "cancelled");
    item.run?.stop();
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

  async send(item) {
    const run = new Run();
    Object.assign(item, { run, done: 0, rate: 0, began: performance.now() });
    this.set(item, "sending");
    let state = "done", why = "";
    try {
      await (item.file.size > LARGE ? this.inParts(item, run) : this.whole(item, run));
    } catch (refusal) {
      state = run.stopped ? "cancelled" : refusal.status === 412 ? "exists" : "failed";
      if (state === "failed") why = refusal.message;
      if (run.leftOver) why = `${why} ${LEFT_OVER}`.trim();
    }
    // Somebody may have begun it again meanwhile.
    if (item.run !== run) return;
    item.run = null;
    // A button of the row may have the focus: what is shown already stays.
    if (item.state !== state || why) this.set(item, state, why);
    this.next();
  }

  whole(item, run) {
    const data = new FormData();
    // The server reads the fields in order: each must come before the file that it describes.
    data.append("csrf", this.form.elements.csrf.value);
    data.append("folder", this.form.elements.folder.value);
    if (item.replace) data.append("replace", "yes");
    data.append("answer", "json");
    data.append("size", String(item.file.size));
    data.append("file", item.file, item.name);
    return run.post(this.form.action, data, "whole", (share) => this.sent(item, run, share));
  }

  async inParts(item, run) {
    const { file } = item;
    const to = this.form.dataset.upload;
    const fields = (own) => new URLSearchParams({ csrf: this.form.elements.csrf.value, ...own });
    const about = { folder: this.form.elements.folder.value, name: item.name, size: file.size, content_type: file.type };
    const begun = await run.post(to, fields(item.replace ? { ...about, replace: "yes" } : about), "short");
    run.upload = begun.upload_id;
    try {
      const parts = [];
      for (let from = 0; from < file.size; from += begun.part_size) {
        parts.push(await this.sendPart(item, run, parts.length + 1, from, file.slice(from, from + begun.part_size)));
      }
      run.goOn();
      await run.post(`${to}/complete`, fields({ upload_id: run.upload, parts: JSON.stringify(parts) }), "short");
      run.upload = null;
    } catch (refusal) {
      await this.giveUp(run);
      throw refusal;
    }
  }

  /** Sends one part, and sends it again where that may help. */
  async sendPart(item, run, number, from, content) {
    const { size } = item.file;
    for (const pause of [...PAUSES, null]) {
      run.goOn();
      const data = new FormData();
      data.append("csrf", this.form.elements.csrf.value);
      data.append("upload_id", run.upload);
      data.append("number", String(number));
      data.append("file", content);
      try {
        const part = await run.post(`${this.form.dataset.upload}/part`, data, "part", (share) => {
          this.sent(item, run, (from + content.size * share) / size);
        });
        this.sent(item, run, (from + content.size) / size);
        return part;
      } catch (refusal) {
        run.goOn();
        if (FINAL.includes(refusal.status)) throw refusal;
        if (pause === null) throw refusal.status ? refusal : new Refusal(0, "The connection broke each time. Nothing was stored.");
        run.again = true;
        this.sent(item, run, from / size);
        await run.pause(pause);
        run.again = false;
      }
    }
  }

  /** Removes what an upload in parts left in the bucket. The request outlives the page. */
  async giveUp(run) {
    if (!run.upload) return;
    const body = () => new URLSearchParams({ csrf: this.form.elements.csrf.value, upload_id: run.upload });
    for (const pause of [...PAUSES, null]) {
      let status = 0;
      try {
        const answer = await fetch(`${this.form.dataset.upload}/abort`, { method: "POST", body: body(), keepalive: true });
        if (answer.ok) {
          run.upload = null;
          return;
        }
        status = answer.status;
      } catch { /* The connection broke. */ }
      if (pause === null || FINAL.includes(status)) break;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    run.leftOver = true;
  }

  /** How much of a file has been sent, from 0 to 1. */
  sent(item, run, share) {
    if (item.run !== run || item.state !== "sending") return;
    item.done = share;
    item.rate = share * item.file.size / Math.max(1, performance.now() - item.began) * 1000;
    this.draw(item);
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
    const again = (change) => () => { this.restart(item, change); this.next(); };
    const because = () => {
      if (!item.why) return;
      const why = document.createElement("span");
      why.className = "why";
      why.textContent = item.why;
      parts.push(why);
    };
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
        button("Retry", again());
        because();
        break;
      case "exists":
        says.append("A file with this name exists");
        button("Replace", again({ replace: true }));
        button("Keep both", again({ name: beside(item.name) }));
        break;
      default:
        says.append("Not uploaded");
        button("Retry", again());
        because();
    }
    item.row.dataset.state = item.state;
    item.row.replaceChildren(...parts);
  }

  progress(item) {
    if (item.done >= 1) return "Storing…";
    const left = item.file.size * (1 - item.done) / (item.rate || 1);
    const parts = [`${Math.floor(item.done * 100)} %`];
    if (item.run?.again) return `${parts[0]} · trying again`;
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
