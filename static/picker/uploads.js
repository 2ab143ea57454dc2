// The uploads of <sallyport-picker>, as a queue.
"use strict";

/** How many files are sent at once. */
const AT_ONCE = 3;
/** From which size on a file goes to the bucket in parts, in bytes. */
const IN_PARTS = 64 * 2 ** 20;

/** `labels.csv` → `labels (2).csv` → `labels (3).csv` */
function beside(name) {
  const [, stem, number, ending] = /^(.*?)(?: \((\d+)\))?(\.[^./]*)?$/s.exec(name);
  return `${stem} (${Number(number || 1) + 1})${ending || ""}`;
}

class Uploads {
  #api;
  #picker;
  #uploaded;
  #report;
  #ended;
  #items = [];
  #words = make("p", { role: "status" });
  #list = make("ul");
  /** What is shown of it. */
  section = make("section", { hidden: true }, this.#words, this.#list);

  /** `uploaded` learns each key, `report` each fault, and `ended` the folder when nothing is left to send. */
  constructor(picker, api, { uploaded, report, ended }) {
    this.#picker = picker;
    this.#api = api;
    this.#uploaded = uploaded;
    this.#report = report;
    this.#ended = ended;
  }

  get #text() { return textsFor(this.#picker); }

  /** Shows everything again, in another language. */
  draw() {
    this.section.setAttribute("aria-label", this.#text.uploads);
    for (const item of this.#items) this.#row(item);
    this.#queue();
  }

  cancelAll() {
    for (const item of this.#items) this.#cancel(item);
  }

  /** Puts files into the queue, for a folder. */
  add(files, folder) {
    for (const file of files) {
      const item = { file, name: file.name, folder, state: "waiting", done: 0, replace: false };
      this.#items.push(item);
      this.#row(item);
    }
    this.#queue();
  }

  #left() { return this.#items.filter((item) => item.state === "waiting" || item.state === "sending"); }

  #queue() {
    const sending = () => this.#items.filter((item) => item.state === "sending").length;
    for (let item; sending() < AT_ONCE && (item = this.#items.find((one) => one.state === "waiting")); ) this.#upload(item);
    const total = this.#items.length;
    const left = this.#left().length;
    const done = this.#items.filter((item) => item.state === "done").length;
    this.section.hidden = !total;
    this.#words.textContent = left ? this.#text.uploading(total - left + 1, total) : this.#text.uploaded(done);
  }

  #cancel(item) {
    if (item.state !== "waiting" && item.state !== "sending") return;
    this.#set(item, "cancelled");
    item.stop?.abort();
    this.#queue();
  }

  #again(item, change = {}) {
    Object.assign(item, change, { done: 0 });
    this.#set(item, "waiting");
    this.#queue();
  }

  #set(item, state, why = "") {
    item.state = state;
    item.why = why;
    this.#row(item);
  }

  /** Shows an upload as it is. */
  #row(item) {
    const text = this.#text;
    item.row ??= make("li", { class: "up" });
    const { row } = item;
    if (row.parentNode !== this.#list) this.#list.append(row);
    const button = (words, act) => make("button", {
      type: "button", "aria-label": `${words}: ${item.name}`, onclick: act,
    }, words);
    const cancel = () => button(text.cancel, () => this.#cancel(item));
    const name = make("bdi", { class: "name" }, item.name);
    const says = make("span", { class: "about" });
    item.bar = null;
    const children = {
      waiting: () => [`${text.waiting} · ${sizeInWords(item.file.size, text)}`, cancel()],
      sending: () => {
        item.bar = make("progress", { max: "1", "aria-label": item.name });
        item.says = says;
        return ["", cancel(), item.bar];
      },
      done: () => [text.done],
      cancelled: () => [text.cancelled, button(text.retry, () => this.#again(item))],
      exists: () => [
        text.exists,
        button(text.replace, () => this.#again(item, { replace: true })),
        button(text.keepBoth, () => this.#again(item, { name: beside(item.name) })),
      ],
      failed: () => [`${text.failed}. ${item.why}`, button(text.retry, () => this.#again(item))],
    }[item.state]();
    says.textContent = children.shift();
    row.dataset.state = item.state;
    row.replaceChildren(name, says, ...children);
    if (item.bar) this.#progress(item);
  }

  #progress(item) {
    if (!item.bar) return;
    item.bar.value = item.done;
    // The last bytes have left the browser before the bucket has them.
    item.says.textContent = item.done >= 1 ? this.#text.storing : `${Math.floor(item.done * 100)} %`;
  }

  async #upload(item) {
    item.stop = new AbortController();
    const { signal } = item.stop;
    this.#set(item, "sending");
    try {
      const key = item.folder + item.name;
      const stored = (item.file.size >= IN_PARTS && await this.#inParts(item, key, signal)) || await this.#whole(item, key, signal);
      if (signal.aborted) return;
      this.#set(item, "done");
      this.#uploaded(stored.key);
    } catch (fault) {
      if (signal.aborted) return;
      const shown = fault instanceof Fault ? fault : new Fault(0, { detail: String(fault?.message ?? fault) });
      if (shown.status === 412) this.#set(item, "exists");
      else {
        this.#set(item, "failed", this.#api.say(shown));
        this.#report(shown);
      }
    }
    this.#queue();
    if (!this.#left().length && item.state === "done") this.#ended(item.folder);
  }

  /** By one request through the service, which takes any size. */
  async #whole(item, key, signal) {
    for (let renewed = false; ; renewed = true) {
      const headers = { Authorization: `Bearer ${await this.#api.bearer()}` };
      if (!item.replace) headers["If-None-Match"] = "*";
      const answer = await this.#send(this.#api.address("files/content", { key }), headers, item.file, signal, (bytes) => {
        item.done = bytes / Math.max(1, item.file.size);
        this.#progress(item);
      });
      if (answer.status >= 200 && answer.status < 300) return parsed(answer.responseText);
      if (answer.status !== 401 || !this.#api.renews || renewed) throw new Fault(answer.status, parsed(answer.responseText));
      await this.#api.bearer(true);
    }
  }

  /** In parts, straight to the bucket. Null where the bucket answers no page of this origin. */
  async #inParts(item, key, signal) {
    const { file } = item;
    const post = (path, json) => this.#api.call("POST", `files/multipart${path}`, { json });
    const begin = { key, size: file.size, if_none_match: !item.replace };
    if (file.type) begin.content_type = file.type;
    const { upload_id, part_size } = await post("", begin);
    const parts = [];
    try {
      for (let at = 0; at * part_size < file.size; at += 1) {
        const bytes = file.slice(at * part_size, (at + 1) * part_size);
        for (let tries = 0; ; tries += 1) {
          signal.throwIfAborted();
          const { urls: [signed] } = await post("/parts", { upload_id, part_numbers: [at + 1] });
          const answer = await this.#send(signed.url, signed.headers, bytes, signal, (sent) => {
            // The file is whole only when the parts are put together.
            item.done = Math.min(0.999, (at * part_size + sent) / file.size);
            this.#progress(item);
          });
          const etag = answer.status === 200 ? answer.getResponseHeader("ETag") : null;
          if (etag) {
            parts.push({ part_number: at + 1, etag });
            break;
          }
          // No answer to the first part, or one that the page may not read: the bucket's CORS rules.
          if (at === 0 && (answer.status === 0 || answer.status === 200)) {
            await post("/abort", { upload_id });
            return null;
          }
          if (tries >= AGAIN) throw new Fault(answer.status);
        }
      }
      signal.throwIfAborted();
      item.done = 1;
      this.#progress(item);
      return await post("/complete", { upload_id, parts });
    } catch (fault) {
      // Parts that are left are paid for.
      await post("/abort", { upload_id }).catch(() => {});
      throw fault;
    }
  }

  /** Sends bytes by PUT. Gives the request when it has ended; its status is 0 where no answer came. */
  #send(url, headers, bytes, signal, progress) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const request = new XMLHttpRequest();
      const stop = () => { reject(signal.reason); request.abort(); };
      signal.addEventListener("abort", stop, { once: true });
      request.upload.addEventListener("progress", (event) => progress(event.loaded));
      request.addEventListener("loadend", () => {
        signal.removeEventListener("abort", stop);
        resolve(request);
      });
      request.open("PUT", url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.send(bytes);
    });
  }
}
