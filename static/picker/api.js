// The API, as <sallyport-picker> calls it.
"use strict";

/** Where this script is from, unless it is loaded as a module. */
const OWN_SERVER = (document.currentScript?.src ?? "").replace(/\/embed\/picker\.js.*$/s, "");
/** How often a part, or a call that the service is too busy for, is tried again. */
const AGAIN = 2;

/** A refusal, or no answer at all (status 0). */
class Fault extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code || (status ? "unknown" : "network");
    this.detail = problem.detail || "";
    /** Where a folder was refused because of the token: the folders that the token lists. */
    this.folders = problem.folders || [];
  }
}

const parsed = (text) => { try { return JSON.parse(text); } catch { return {}; } };
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** The calls for the storage of a picker, with its token. */
class Api {
  #picker;
  #token = null;

  constructor(picker) { this.#picker = picker; }

  get server() { return (this.#picker.getAttribute("server") || OWN_SERVER).replace(/\/+$/, ""); }
  get storage() { return this.#picker.getAttribute("storage") || ""; }
  get isSet() { return this.server && this.storage && (this.#picker.getToken || this.#picker.getAttribute("token")); }

  /** There is another token. */
  forget() { this.#token = null; }

  address(path, query = {}) {
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    return `${this.server}/v1/storages/${encodeURIComponent(this.storage)}/${path}${pairs && `?${pairs}`}`;
  }

  get renews() { return Boolean(this.#picker.getToken); }

  async bearer(expired = false) {
    const picker = this.#picker;
    const given = picker.getAttribute("token");
    if (!this.renews) return given || "";
    if (expired) this.#token = null;
    // Several calls at once ask once.
    this.#token ??= Promise.resolve(!expired && given ? given : picker.getToken({ expired }));
    try {
      return await this.#token;
    } catch (error) {
      this.#token = null;
      throw error;
    }
  }

  async call(method, path, { query, json, signal } = {}) {
    for (let tries = 0, renewed = false; ; ) {
      const token = await this.bearer();
      const headers = { Authorization: `Bearer ${token}` };
      if (json) headers["Content-Type"] = "application/json";
      let answer;
      try {
        answer = await fetch(this.address(path, query), {
          method, headers, signal, body: json && JSON.stringify(json), credentials: "omit", cache: "no-store",
        });
      } catch (error) {
        if (signal?.aborted) throw error;
        throw new Fault(0);
      }
      if (answer.ok) return answer.status === 204 ? null : answer.json();
      if (answer.status === 401 && this.renews && !renewed) {
        renewed = true;
        await this.bearer(true);
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
  say(fault) {
    const text = textsFor(this.#picker);
    const words = { 0: text.offline, 401: text.signedOut, 403: text.forbidden, 404: text.absent }[fault.status] ?? text.broken;
    return fault.detail && fault.status !== 401 ? `${words} ${fault.detail}` : words;
  }
}
