// <sallyport-picker>: browse the folders of a storage, choose files and upload some, in a page of the product's own.
// docs/embedding.md describes it.
//
// It calls the API from the browser with a token, so the page's origin must be allowed. It writes no HTML and no
// inline style, so a strict Content-Security-Policy of the page does not disturb it.
(() => {
"use strict";

if (customElements.get("sallyport-picker")) return;

/** The folders that S3 empties after some days; the service fills them in. */
const WORKING_FOLDERS = "@working_folders@".split(",").map((name) => `/${name}`);
/** Where this script is from, unless it is loaded as a module. */
const OWN_SERVER = (document.currentScript?.src ?? "").replace(/\/embed\/picker\.js.*$/s, "");
const PAGE_SIZE = 100;
/** How many files are sent at once. */
const AT_ONCE = 3;
/** From which size on a file goes to the bucket in parts, in bytes. */
const IN_PARTS = 64 * 2 ** 20;
/** How often a part, or a call that the service is too busy for, is tried again. */
const AGAIN = 2;
/** How long somebody may go on typing before the search begins, in milliseconds. */
const TYPING = 300;

const TYPES = {
  image: "png jpg jpeg gif webp svg bmp tif tiff avif heic",
  video: "mp4 webm mov mkv avi mpeg",
  audio: "mp3 wav ogg flac m4a aac",
  text: "txt csv tsv md html log",
};
/** Media types that are not their ending. */
const ENDINGS = {
  "image/jpeg": ["jpg", "jpeg"], "image/svg+xml": ["svg"], "image/tiff": ["tif", "tiff"], "text/plain": ["txt", "log"],
  "text/markdown": ["md"], "text/tab-separated-values": ["tsv"], "video/quicktime": ["mov"], "audio/mpeg": ["mp3"],
  "application/json": ["json"], "application/pdf": ["pdf"], "application/zip": ["zip"], "application/xml": ["xml"],
  "application/x-ndjson": ["ndjson", "jsonl"],
};

const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

const TEXTS = {
  en: {
    files: "Files", allFiles: "All files", path: "Path", folder: "Folder", search: "Name begins with",
    loading: "Loading…", empty: "This folder is empty.", nothing: "No name begins like this.", more: "Show more",
    shown: (name, n) => `${name}: ${count(n, "entry", "entries")}`,
    chosen: (n) => n ? `${count(n, "file", "files")} selected` : "No file selected",
    choose: "Choose", clear: "Clear selection", again: "Try again", upload: "Upload files", uploads: "Uploads",
    leftOut: (names) => `${count(names.length, "working folder is", "working folders are")} not shown: ${names.join(", ")}`,
    cancel: "Cancel", retry: "Retry", replace: "Replace", keepBoth: "Keep both", waiting: "Waiting",
    storing: "Storing…", done: "Uploaded", cancelled: "Cancelled", exists: "A file with this name exists",
    failed: "Not uploaded", uploading: (n, of) => `Uploading ${n} of ${of}`,
    uploaded: (n) => `${count(n, "file", "files")} uploaded`,
    notSet: "The picker needs the attributes “server” and “storage”, and a token.",
    signedOut: "Your access has ended. Reload the page.", forbidden: "You may not do this.",
    absent: "This does not exist any more.", offline: "The service cannot be reached.",
    broken: "The service could not do this.",
  },
  de: {
    files: "Dateien", allFiles: "Alle Dateien", path: "Pfad", folder: "Ordner", search: "Name beginnt mit",
    loading: "Wird geladen …", empty: "Dieser Ordner ist leer.", nothing: "Kein Name beginnt so.", more: "Mehr anzeigen",
    shown: (name, n) => `${name}: ${count(n, "Eintrag", "Einträge")}`,
    chosen: (n) => n ? `${count(n, "Datei", "Dateien")} ausgewählt` : "Keine Datei ausgewählt",
    choose: "Auswählen", clear: "Auswahl aufheben", again: "Erneut versuchen", upload: "Dateien hochladen",
    uploads: "Uploads",
    leftOut: (names) => `${count(names.length, "Arbeitsordner wird", "Arbeitsordner werden")} nicht angezeigt: ${names.join(", ")}`,
    cancel: "Abbrechen", retry: "Wiederholen", replace: "Ersetzen", keepBoth: "Beide behalten", waiting: "Wartet",
    storing: "Wird gespeichert …", done: "Hochgeladen", cancelled: "Abgebrochen",
    exists: "Eine Datei mit diesem Namen existiert bereits", failed: "Nicht hochgeladen",
    uploading: (n, of) => `${n} von ${of} wird hochgeladen`,
    uploaded: (n) => `${count(n, "Datei", "Dateien")} hochgeladen`,
    notSet: "Die Dateiauswahl braucht die Attribute „server“ und „storage“ und ein Token.",
    signedOut: "Ihr Zugang ist abgelaufen. Laden Sie die Seite neu.", forbidden: "Das dürfen Sie nicht.",
    absent: "Das gibt es nicht mehr.", offline: "Der Dienst ist nicht erreichbar.",
    broken: "Der Dienst konnte das nicht ausführen.",
  },
};

const STYLE = `
:host { display: block; color: var(--sallyport-text, CanvasText); background: var(--sallyport-background, Canvas);
  font: var(--sallyport-font, 1rem/1.4 system-ui, sans-serif);
  --accent: var(--sallyport-accent, #0b57d0); --on-accent: var(--sallyport-on-accent, #fff);
  --quiet: var(--sallyport-quiet, color-mix(in srgb, CanvasText 72%, Canvas));
  --line: var(--sallyport-border, color-mix(in srgb, CanvasText 22%, Canvas)); --round: var(--sallyport-radius, 6px); }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.bar, .foot { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; padding: .5rem 0; }
nav { flex: 1 1 12rem; min-width: 0; }
ol, ul { list-style: none; margin: 0; padding: 0; }
ol { display: flex; flex-wrap: wrap; }
ol li + li::before { content: "/"; padding: 0 .25rem; color: var(--quiet); }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: var(--round);
  padding: .4rem .75rem; min-height: 2.5rem; cursor: pointer; }
button:disabled { color: var(--quiet); cursor: default; }
ol button { border-color: transparent; padding: .25rem; min-height: 1.75rem; text-decoration: underline;
  overflow-wrap: anywhere; text-align: start; }
ol [aria-current] { text-decoration: none; font-weight: 600; }
.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.main:disabled { background: none; border-color: var(--line); color: var(--quiet); }
.find { flex: 1 1 12rem; }
input[type=search] { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: var(--round); padding: .4rem .6rem; min-height: 2.5rem; width: 100%; }
input::placeholder { color: var(--quiet); opacity: 1; }
.list { border: 1px solid var(--line); border-radius: var(--round); max-height: var(--sallyport-height, 24rem);
  overflow-y: auto; }
[role=option] { display: grid; grid-template-columns: 1.5rem 1fr auto; gap: .5rem; align-items: center;
  min-height: 2.75rem; padding: .35rem .75rem; cursor: pointer; }
[role=option] + [role=option] { border-top: 1px solid var(--line); }
[role=option][aria-disabled] { color: var(--quiet); cursor: default; }
[role=option][aria-selected=true] { background: color-mix(in srgb, var(--accent) 14%, transparent);
  box-shadow: inset 3px 0 var(--accent); }
.name { min-width: 0; overflow-wrap: anywhere; }
.about { color: var(--quiet); font-size: .875em; white-space: nowrap; }
.mark { text-align: center; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
p { margin: .5rem 0; }
p.note { color: var(--quiet); font-size: .875em; }
.fault { border: 1px solid; border-radius: var(--round); padding: .5rem .75rem; margin: .5rem 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.up { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: center; padding: .35rem 0;
  border-top: 1px solid var(--line); }
.up .name { flex: 1 1 10rem; }
.up progress { flex: 1 0 100%; width: 100%; accent-color: var(--accent); }
.over .list { outline: 2px dashed var(--accent); }
@media (max-width: 30rem) { [role=option] { grid-template-columns: 1.5rem 1fr; } .about { grid-column: 2; } }
`;

/** An element. What begins with "on" is a listener; `false` and `null` are left out. */
function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** `labels.csv` → `labels (2).csv` → `labels (3).csv` */
function beside(name) {
  const [, stem, number, ending] = /^(.*?)(?: \((\d+)\))?(\.[^./]*)?$/s.exec(name);
  return `${stem} (${Number(number || 1) + 1})${ending || ""}`;
}

/** A refusal, or no answer at all (status 0). */
class Fault extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code || (status ? "unknown" : "network");
    this.detail = problem.detail || "";
  }
}

const parsed = (text) => { try { return JSON.parse(text); } catch { return {}; } };
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

class SallyportPicker extends HTMLElement {
  static observedAttributes = ["server", "storage", "folder", "token", "lang", "multiple", "accept", "upload", "operations", "include-working-folders"];

  #parts = {};
  #folder = "/";
  #begins = "";
  /** Folders and files, as they are listed. */
  #entries = [];
  #next = null;
  #leftOut = [];
  #chosen = new Set();
  #active = 0;
  #listing = null;
  #getToken = null;
  #token = null;
  #items = [];
  #timer = 0;
  #planned = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    // A page may have set it before this script came.
    if (Object.hasOwn(this, "getToken")) {
      const given = this.getToken;
      delete this.getToken;
      this.getToken = given;
    }
  }

  connectedCallback() { this.#plan(); }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#listing?.abort();
      for (const item of this.#items) this.#cancel(item);
    });
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    if (name === "token") {
      this.#token = null;
      // What is shown stays: a new token is no other place.
      if (this.#entries.length) return;
    }
    this.#plan();
  }

  /** Gives a token: `async ({expired}) => "…"`. It is asked again when the service refuses the last one. */
  get getToken() { return this.#getToken; }
  set getToken(given) {
    this.#getToken = given;
    this.#token = null;
    if (this.isConnected && !this.#entries.length) this.#plan();
  }

  /** The keys that are selected, in the order of their selection. */
  get selected() { return [...this.#chosen]; }

  /** Lists the open folder again. */
  reload() { return this.#list(false); }

  // What the page asked for.

  get #text() {
    const lang = (this.lang || this.closest("[lang]")?.lang || navigator.language || "en").toLowerCase();
    return lang === "de" || lang.startsWith("de-") ? TEXTS.de : TEXTS.en;
  }
  get #locale() { return this.#text === TEXTS.de ? "de" : "en"; }
  get #many() { return this.hasAttribute("multiple"); }
  get #writes() {
    return this.hasAttribute("upload") || (this.getAttribute("operations") ?? "").split(/[\s,]+/).includes("write");
  }
  /** The folder above which nobody goes. */
  get #top() {
    const folder = (this.getAttribute("folder") ?? "").replace(/^\/+|\/+$/g, "");
    return folder ? `/${folder}/` : "/";
  }
  get #server() { return (this.getAttribute("server") || OWN_SERVER).replace(/\/+$/, ""); }
  get #storage() { return this.getAttribute("storage") || ""; }

  /** Begins anew, once for however many attributes were changed. */
  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (!this.isConnected) return;
      this.#build();
      this.#chosen.clear();
      this.#open(this.#top, false);
    });
  }

  // The API.

  #address(path, query = {}) {
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    return `${this.#server}/v1/storages/${encodeURIComponent(this.#storage)}/${path}${pairs && `?${pairs}`}`;
  }

  async #bearer(expired = false) {
    const given = this.getAttribute("token");
    if (!this.getToken) return given || "";
    if (expired) this.#token = null;
    // Several calls at once ask once.
    this.#token ??= Promise.resolve(!expired && given ? given : this.getToken({ expired }));
    try {
      return await this.#token;
    } catch (error) {
      this.#token = null;
      throw error;
    }
  }

  async #call(method, path, { query, json, signal } = {}) {
    for (let tries = 0, renewed = false; ; ) {
      const token = await this.#bearer();
      const headers = { Authorization: `Bearer ${token}` };
      if (json) headers["Content-Type"] = "application/json";
      let answer;
      try {
        answer = await fetch(this.#address(path, query), {
          method, headers, signal, body: json && JSON.stringify(json), credentials: "omit", cache: "no-store",
        });
      } catch (error) {
        if (signal?.aborted) throw error;
        throw new Fault(0);
      }
      if (answer.ok) return answer.status === 204 ? null : answer.json();
      if (answer.status === 401 && this.getToken && !renewed) {
        renewed = true;
        await this.#bearer(true);
        continue;
      }
      if ((answer.status === 429 || answer.status === 503) && tries < AGAIN) {
        tries += 1;
        await pause(Math.min(Number(answer.headers.get("Retry-After")) || 1, 10));
        continue;
      }
      throw new Fault(answer.status, parsed(await answer.text()));
    }
  }

  /** What a fault is called on the page; the event `error` has the rest. */
  #say(fault) {
    const text = this.#text;
    const words = { 0: text.offline, 401: text.signedOut, 403: text.forbidden, 404: text.absent }[fault.status] ?? text.broken;
    return fault.detail && fault.status !== 401 ? `${words} ${fault.detail}` : words;
  }

  #tell(name, detail, bubbles = true) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles, composed: true }));
  }

  /** An error does not bubble: `window.onerror` is for other things. */
  #report(fault) { this.#tell("error", { code: fault.code, status: fault.status, detail: fault.detail }, false); }

  // The folder that is open.

  async #open(folder, focus) {
    this.#folder = folder;
    this.#begins = "";
    this.#parts.find.value = "";
    await this.#list(focus);
  }

  async #list(focus) {
    this.#entries = [];
    this.#leftOut = [];
    this.#active = 0;
    this.#next = null;
    await this.#more(focus);
  }

  async #more(focus) {
    this.#listing?.abort();
    const listing = this.#listing = new AbortController();
    const parts = this.#parts;
    const text = this.#text;
    parts.fault.hidden = true;
    this.#crumbs();
    if (!this.#server || !this.#storage || !(this.getToken || this.getAttribute("token"))) {
      this.#note(text.notSet);
      parts.box.removeAttribute("aria-busy");
      return;
    }
    if (!this.#entries.length) this.#note(text.loading);
    parts.box.setAttribute("aria-busy", "true");
    const at = this.#entries.length;
    try {
      const query = { folder: this.#folder, page_size: PAGE_SIZE };
      if (this.#begins) query.name_prefix = this.#begins;
      if (this.#next) query.page_token = this.#next;
      const page = await this.#call("GET", "files", { query, signal: listing.signal });
      if (listing !== this.#listing) return;
      const hides = !this.hasAttribute("include-working-folders");
      const folders = page.folders.filter((folder) => !(hides && WORKING_FOLDERS.includes(folder.key)));
      this.#leftOut.push(...page.folders.filter((folder) => !folders.includes(folder)).map((folder) => folder.name));
      this.#entries.push(...folders.map((folder) => ({ ...folder, isFolder: true })), ...page.files);
      this.#next = page.next_page_token ?? null;
      this.#active = Math.min(at, Math.max(0, this.#entries.length - 1));
      this.#draw(focus);
      this.#announce(text.shown(this.#nameOf(this.#folder), this.#entries.length));
    } catch (fault) {
      if (listing.signal.aborted) return;
      const shown = fault instanceof Fault ? fault : new Fault(0, { code: "token", detail: String(fault?.message ?? fault) });
      this.#note("");
      parts.why.textContent = this.#say(shown);
      parts.fault.hidden = false;
      this.#report(shown);
    } finally {
      if (listing === this.#listing) parts.box.removeAttribute("aria-busy");
    }
  }

  #nameOf(folder) {
    return folder === "/" ? this.#text.allFiles : folder.split("/").at(-2);
  }

  #accepts(entry) {
    const wanted = (this.getAttribute("accept") ?? "").toLowerCase().split(",").map((one) => one.trim()).filter(Boolean);
    if (!wanted.length) return true;
    const name = entry.name.toLowerCase();
    const ending = name.includes(".") ? name.split(".").at(-1) : "";
    return wanted.some((one) => {
      if (one.startsWith(".")) return name.endsWith(one);
      const [kind, sub] = one.split("/");
      if (kind === "*") return true;
      if (sub === "*") return (TYPES[kind] ?? "").split(" ").includes(ending);
      return (ENDINGS[one] ?? [sub]).includes(ending);
    });
  }

  #usable(entry) { return entry.usable !== false && (entry.isFolder || this.#accepts(entry)); }

  #activate(entry, picks) {
    if (!entry || !this.#usable(entry)) return;
    if (entry.isFolder) {
      this.#open(entry.key, true);
      return;
    }
    if (picks) {
      if (!this.#many) this.#chosen.clear();
      this.#chosen.add(entry.key);
      this.#pick();
    } else this.#toggle(entry);
    this.#mark();
  }

  #toggle(entry) {
    const was = this.#chosen.has(entry.key);
    if (!this.#many) this.#chosen.clear();
    if (was) this.#chosen.delete(entry.key);
    else this.#chosen.add(entry.key);
    this.#announce(this.#text.chosen(this.#chosen.size));
  }

  #pick() {
    if (this.#chosen.size) this.#tell("picked", { storage_id: this.#storage, file_keys: this.selected });
  }

  // What is shown.

  #build() {
    const text = this.#text;
    const button = (words, act, kind = "") => make("button", { type: "button", class: kind, onclick: act }, words);
    const parts = this.#parts = {
      crumbs: make("ol"),
      find: make("input", {
        type: "search", "aria-label": text.search, placeholder: text.search, autocomplete: "off", spellcheck: "false",
        oninput: () => this.#typed(),
      }),
      list: make("div", {
        role: "listbox", class: "list", "aria-label": text.files, "aria-multiselectable": String(this.#many),
        onkeydown: (event) => this.#key(event), onclick: (event) => this.#click(event),
      }),
      note: make("p"),
      leftOut: make("p", { class: "note", hidden: true }),
      why: make("p"),
      more: button(text.more, () => this.#more(true)),
      chosen: make("span", { class: "name" }),
      clear: button(text.clear, () => { this.#chosen.clear(); this.#mark(); }),
      choose: button(text.choose, () => this.#pick(), "main"),
      live: make("p", { role: "status", class: "hidden" }),
      queue: make("ul"),
      words: make("p", { role: "status" }),
    };
    parts.fault = make("div", { class: "fault", role: "alert", hidden: true }, parts.why, button(text.again, () => this.#more(true)));
    parts.uploads = make("section", { "aria-label": text.uploads, hidden: true }, parts.words, parts.queue);
    const input = make("input", {
      type: "file", multiple: true, hidden: true, accept: this.getAttribute("accept"),
      onchange: () => { this.#add(input.files); input.value = ""; },
    });
    parts.box = make("div", {},
      make("div", { class: "bar" },
        make("nav", { "aria-label": text.path }, parts.crumbs),
        make("div", { class: "find" }, parts.find),
        this.#writes ? button(text.upload, () => input.click()) : null),
      parts.fault, parts.list, parts.note, parts.leftOut,
      make("div", { class: "foot" }, parts.more),
      make("div", { class: "foot" }, parts.chosen, parts.clear, parts.choose),
      input, parts.uploads, parts.live);
    if (this.#writes) {
      const over = (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        parts.box.classList.toggle("over", event.type === "dragover");
      };
      parts.box.addEventListener("dragover", over);
      parts.box.addEventListener("dragleave", over);
      parts.box.addEventListener("drop", (event) => {
        over(event);
        this.#add(event.dataTransfer.files);
      });
    }
    this.shadowRoot.replaceChildren(parts.box);
    for (const item of this.#items) this.#row(item);
    this.#queue();
  }

  #crumbs() {
    const top = this.#top;
    const steps = [top];
    const below = this.#folder.slice(top.length).split("/").filter(Boolean);
    for (const name of below) steps.push(`${steps.at(-1)}${name}/`);
    this.#parts.crumbs.replaceChildren(...steps.map((step) => make("li", {}, make("button", {
      type: "button", "aria-current": step === this.#folder ? "location" : null, onclick: () => this.#open(step, true),
    }, make("bdi", {}, this.#nameOf(step))))));
  }

  #note(words) {
    const parts = this.#parts;
    parts.list.replaceChildren();
    parts.list.hidden = true;
    parts.more.hidden = true;
    parts.leftOut.hidden = true;
    parts.note.textContent = words;
    parts.note.hidden = !words;
    this.#mark();
  }

  #draw(focus) {
    const parts = this.#parts;
    const text = this.#text;
    if (!this.#entries.length) this.#note(this.#begins ? text.nothing : text.empty);
    else {
      parts.note.hidden = true;
      parts.list.hidden = false;
      parts.list.replaceChildren(...this.#entries.map((entry) => this.#option(entry)));
      this.#mark();
    }
    parts.more.hidden = !this.#next;
    parts.leftOut.hidden = !this.#leftOut.length;
    parts.leftOut.textContent = this.#leftOut.length ? text.leftOut(this.#leftOut) : "";
    if (focus) this.#focus(this.#active);
  }

  #option(entry) {
    const date = entry.last_modified && new Date(entry.last_modified);
    const about = entry.isFolder ? [] : [
      this.#size(entry.size),
      date ? new Intl.DateTimeFormat(this.#locale, { dateStyle: "medium" }).format(date) : "",
    ];
    return make("div", {
      role: "option", tabindex: "-1", "aria-selected": entry.isFolder ? null : "false",
      "aria-disabled": this.#usable(entry) ? null : "true",
    },
    make("span", { class: "mark", "aria-hidden": "true" }, entry.isFolder ? "▸" : "·"),
    make("span", { class: "name" },
      entry.isFolder ? make("span", { class: "hidden" }, `${this.#text.folder} `) : null,
      make("bdi", {}, entry.name)),
    make("span", { class: "about" }, about.filter(Boolean).join(" · ")));
  }

  #size(bytes) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    let at = 0;
    for (; bytes >= 999.95 && at < 4; at += 1) bytes /= 1000;
    return new Intl.NumberFormat(this.#locale, {
      style: "unit", unit: units[at], unitDisplay: at ? "short" : "long", maximumFractionDigits: at ? 1 : 0,
    }).format(bytes);
  }

  /** Shows what is selected, and which entry the Tab key comes to. */
  #mark() {
    const parts = this.#parts;
    [...parts.list.children].forEach((option, at) => {
      option.tabIndex = at === this.#active ? 0 : -1;
      const entry = this.#entries[at];
      if (!entry || entry.isFolder) return;
      const chosen = this.#chosen.has(entry.key);
      option.setAttribute("aria-selected", String(chosen));
      option.firstChild.textContent = chosen ? "✓" : "·";
    });
    parts.chosen.textContent = this.#text.chosen(this.#chosen.size);
    parts.choose.disabled = !this.#chosen.size;
    parts.clear.hidden = !this.#chosen.size;
  }

  #focus(at) {
    const options = this.#parts.list.children;
    if (!options.length) {
      this.#parts.crumbs.lastChild?.firstChild.focus();
      return;
    }
    this.#active = Math.max(0, Math.min(at, options.length - 1));
    this.#mark();
    options[this.#active].focus();
  }

  #announce(words) { this.#parts.live.textContent = words; }

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // A slash looks into a folder, which is opened instead.
      this.#begins = this.#parts.find.value.replaceAll("/", "");
      this.#list(false);
    }, TYPING);
  }

  #click(event) {
    const at = [...this.#parts.list.children].indexOf(event.target.closest("[role=option]"));
    if (at < 0) return;
    this.#active = at;
    this.#activate(this.#entries[at], false);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.#entries.length - 1;
    const entry = this.#entries[this.#active];
    const acts = {
      ArrowDown: () => this.#focus(this.#active + 1),
      ArrowUp: () => this.#focus(this.#active - 1),
      Home: () => this.#focus(0),
      End: () => this.#focus(last),
      PageDown: () => this.#focus(this.#active + 10),
      PageUp: () => this.#focus(this.#active - 10),
      ArrowRight: () => entry?.isFolder && this.#activate(entry, false),
      ArrowLeft: () => this.#up(),
      Backspace: () => this.#up(),
      Enter: () => this.#activate(entry, true),
      " ": () => this.#activate(entry, false),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #up() {
    if (this.#folder === this.#top) return;
    this.#open(this.#folder.replace(/[^/]+\/$/, ""), true);
  }

  // Uploads.

  #add(files) {
    for (const file of files) {
      const item = { file, name: file.name, folder: this.#folder, state: "waiting", done: 0, replace: false };
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
    this.#parts.uploads.hidden = !total;
    this.#parts.words.textContent = left ? this.#text.uploading(total - left + 1, total) : this.#text.uploaded(done);
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
    if (row.parentNode !== this.#parts.queue) this.#parts.queue.append(row);
    const button = (words, act) => make("button", {
      type: "button", "aria-label": `${words}: ${item.name}`, onclick: act,
    }, words);
    const cancel = () => button(text.cancel, () => this.#cancel(item));
    const name = make("bdi", { class: "name" }, item.name);
    const says = make("span", { class: "about" });
    item.bar = null;
    const children = {
      waiting: () => [`${text.waiting} · ${this.#size(item.file.size)}`, cancel()],
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
      this.#tell("uploaded", { storage_id: this.#storage, file_key: stored.key });
    } catch (fault) {
      if (signal.aborted) return;
      const shown = fault instanceof Fault ? fault : new Fault(0, { detail: String(fault?.message ?? fault) });
      if (shown.status === 412) this.#set(item, "exists");
      else {
        this.#set(item, "failed", this.#say(shown));
        this.#report(shown);
      }
    }
    this.#queue();
    if (!this.#left().length && item.state === "done" && item.folder === this.#folder) this.#list(false);
  }

  /** By one request through the service, which takes any size. */
  async #whole(item, key, signal) {
    for (let renewed = false; ; renewed = true) {
      const headers = { Authorization: `Bearer ${await this.#bearer()}` };
      if (!item.replace) headers["If-None-Match"] = "*";
      const answer = await this.#send(this.#address("files/content", { key }), headers, item.file, signal, (bytes) => {
        item.done = bytes / Math.max(1, item.file.size);
        this.#progress(item);
      });
      if (answer.status >= 200 && answer.status < 300) return parsed(answer.responseText);
      if (answer.status !== 401 || !this.getToken || renewed) throw new Fault(answer.status, parsed(answer.responseText));
      await this.#bearer(true);
    }
  }

  /** In parts, straight to the bucket. Null where the bucket answers no page of this origin. */
  async #inParts(item, key, signal) {
    const { file } = item;
    const post = (path, json) => this.#call("POST", `files/multipart${path}`, { json });
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

customElements.define("sallyport-picker", SallyportPicker);
})();
