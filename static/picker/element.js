// <sallyport-picker>: browse the folders of a storage, choose files and upload some, in a page of the product's own.
// docs/embedding.md describes it.
//
// It calls the API from the browser with a token, so the page's origin must be allowed. It writes no HTML and no
// inline style, so a strict Content-Security-Policy of the page does not disturb it.
"use strict";

/** The folders that S3 empties after some days; the service fills them in. */
const WORKING_FOLDERS = "@working_folders@".split(",").map((name) => `/${name}`);
const PAGE_SIZE = 100;
/** How long somebody may go on typing before the search begins, in milliseconds. */
const TYPING = 300;

class SallyportPicker extends HTMLElement {
  static observedAttributes = ["server", "storage", "folder", "token", "lang", "multiple", "accept", "upload", "operations", "include-working-folders"];

  #parts = {};
  #folder = "/";
  /** The one folder that the token lists, where that is below the folder that the page asked for. */
  #narrowed = null;
  #begins = "";
  /** Folders and files, as they are listed. */
  #entries = [];
  #next = null;
  #leftOut = [];
  #chosen = new Set();
  #active = 0;
  #listing = null;
  #getToken = null;
  #api = new Api(this);
  #uploads = new Uploads(this, this.#api, {
    uploaded: (file_key) => this.#tell("uploaded", { storage_id: this.#api.storage, file_key }),
    report: (fault) => this.#report(fault),
    ended: (folder) => { if (folder === this.#folder) this.#list(false); },
  });
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
      this.#uploads.cancelAll();
    });
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    if (name === "token") {
      this.#api.forget();
      // What is shown stays: a new token is no other place.
      if (this.#entries.length) return;
    }
    this.#plan();
  }

  /** Gives a token: `async ({expired}) => "…"`. It is asked again when the service refuses the last one. */
  get getToken() { return this.#getToken; }
  set getToken(given) {
    this.#getToken = given;
    this.#api.forget();
    if (this.isConnected && !this.#entries.length) this.#plan();
  }

  /** The keys that are selected, in the order of their selection. */
  get selected() { return [...this.#chosen]; }

  /** Lists the open folder again. */
  reload() { return this.#parts.box ? this.#list(false) : Promise.resolve(); }

  // What the page asked for.

  get #text() { return textsFor(this); }
  get #many() { return this.hasAttribute("multiple"); }
  get #writes() {
    return this.hasAttribute("upload") || (this.getAttribute("operations") ?? "").split(/[\s,]+/).includes("write");
  }
  /** The folder above which nobody goes. */
  get #top() {
    if (this.#narrowed) return this.#narrowed;
    const folder = (this.getAttribute("folder") ?? "").replace(/^\/+|\/+$/g, "");
    return folder ? `/${folder}/` : "/";
  }

  /** Begins again, once for however many attributes were changed. */
  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (!this.isConnected) return;
      this.#build();
      this.#chosen.clear();
      this.#narrowed = null;
      this.#open(this.#top, false);
    });
  }

  // The folder that is open.

  #tell(name, detail, bubbles = true) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles, composed: true }));
  }

  /** An error does not bubble: `window.onerror` is for other things. */
  #report(fault) { this.#tell("error", { code: fault.code, status: fault.status, detail: fault.detail }, false); }

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
    if (!this.#api.isSet) {
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
      const page = await this.#api.call("GET", "files", { query, signal: listing.signal });
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
      if (shown.code === "outside_of_token" && await this.#goWithin(shown.folders, focus)) return;
      this.#note("");
      parts.why.textContent = this.#api.say(shown);
      parts.fault.hidden = false;
      this.#report(shown);
    } finally {
      if (listing === this.#listing) parts.box.removeAttribute("aria-busy");
    }
  }

  /** In a folder that the token does not list: opens the one below that it lists, or shows them. False: there is none. */
  async #goWithin(listed, focus) {
    const below = listed.filter((key) => key !== this.#folder && key.startsWith(this.#folder));
    if (!below.length) return false;
    if (below.length === 1 && this.#folder === this.#top) {
      this.#narrowed = below[0];
      await this.#open(below[0], focus);
      return true;
    }
    const named = below.map((key) => ({ key, name: key.slice(this.#folder.length, -1), isFolder: true }));
    this.#entries = named.filter((entry) => entry.name.startsWith(this.#begins));
    this.#draw(focus);
    this.#announce(this.#text.shown(this.#nameOf(this.#folder), this.#entries.length));
    return true;
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
    if (this.#chosen.size) this.#tell("picked", { storage_id: this.#api.storage, file_keys: this.selected });
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
    };
    parts.fault = make("div", { class: "fault", role: "alert", hidden: true }, parts.why, button(text.again, () => this.#more(true)));
    const input = make("input", {
      type: "file", multiple: true, hidden: true, accept: this.getAttribute("accept"),
      onchange: () => { this.#uploads.add(input.files, this.#folder); input.value = ""; },
    });
    parts.box = make("div", {},
      make("div", { class: "bar" },
        make("nav", { "aria-label": text.path }, parts.crumbs),
        make("div", { class: "find" }, parts.find),
        this.#writes ? button(text.upload, () => input.click()) : null),
      parts.fault, parts.list, parts.note, parts.leftOut,
      make("div", { class: "foot" }, parts.more),
      make("div", { class: "foot" }, parts.chosen, parts.clear, parts.choose),
      input, this.#uploads.section, parts.live);
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
        this.#uploads.add(event.dataTransfer.files, this.#folder);
      });
    }
    this.shadowRoot.replaceChildren(parts.box);
    this.#uploads.draw();
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
      sizeInWords(entry.size, this.#text),
      date ? new Intl.DateTimeFormat(localeOf(this.#text), { dateStyle: "medium" }).format(date) : "",
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
}

if (!customElements.get("sallyport-picker")) customElements.define("sallyport-picker", SallyportPicker);
