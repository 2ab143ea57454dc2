// Scripts for the dialog that adds a storage, and for checks.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const say = (text) => { const live = $("live"); if (live) live.textContent = text; };

  // --- Typed values that could not be saved stay in this tab, also after a reload. Secrets do not.
  const form = $("setup-form");
  const shelf = form ? `setup ${form.dataset.setup} ` : "";
  const fields = () => (form ? form.querySelectorAll("[data-keep]") : []);
  const kept = {
    get: (field) => { try { return sessionStorage.getItem(shelf + field.name); } catch { return null; } },
    set: (field) => { try { sessionStorage.setItem(shelf + field.name, field.value); } catch { /* full or forbidden */ } },
    drop: (field) => { try { sessionStorage.removeItem(shelf + field.name); } catch { /* forbidden */ } },
  };

  /** Takes what was read from a pasted address into the fields, but not under the fingers of whoever types. */
  let pasted = null;
  function fillFields() {
    for (const read of document.querySelectorAll("[data-fill]")) {
      const field = read.closest(".field").querySelector("input");
      if (field.value === read.dataset.fill || (document.activeElement === field && pasted !== field)) continue;
      field.value = read.dataset.fill;
      kept.drop(field);
      const around = field.closest("details");
      if (around) around.open = true;
    }
  }

  /** Marks a field as invalid or valid according to its slot. */
  function markFields() {
    for (const field of fields()) {
      const slot = $(`${field.id}-slot`);
      const wrong = !!(slot && slot.querySelector(".error"));
      if (wrong) field.setAttribute("aria-invalid", "true");
      else { field.removeAttribute("aria-invalid"); kept.drop(field); }
    }
  }

  if (form) {
    form.addEventListener("input", (event) => {
      pasted = /^insertFrom(Paste|Drop)/.test(event.inputType) ? event.target : null;
      if (event.target.matches("[data-keep]")) kept.set(event.target);
    });
    addEventListener("DOMContentLoaded", () => {
      let restored = false;
      for (const field of fields()) {
        const text = kept.get(field);
        if (text !== null && text !== field.value) {
          field.value = text;
          restored = true;
          const around = field.closest("details");
          if (around) around.open = true;
        }
      }
      if (restored) form.dispatchEvent(new Event("change", { bubbles: true }));
    });
    let open = [];
    document.addEventListener("htmx:beforeSwap", () => {
      open = [...document.querySelectorAll("#follows details[open]")].map((one) => one.id);
    });
    document.addEventListener("htmx:afterSettle", () => {
      for (const id of open) if ($(id)) $(id).open = true;
      markFields();
      fillFields();
    });
  }

  // --- Checks: show each step as it finishes.
  /** Replaces the elements with the same IDs by HTML from our server. Gives the first. */
  function place(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const fresh = [...holder.content.children];
    let first = null;
    for (const one of fresh) {
      const old = $(one.id);
      if (!old) continue;
      old.replaceWith(one);
      first ??= one;
    }
    document.dispatchEvent(new CustomEvent("htmx:load", { detail: {} }));
    return first;
  }

  function stateOf(item, word, icon) {
    const holder = item.querySelector(".status");
    const dot = document.createElement("span");
    dot.className = `dot dot-${icon}`;
    const said = document.createElement("span");
    said.className = "visually-hidden";
    said.textContent = word;
    dot.append(iconOf({ busy: "loader-circle", good: "check", bad: "x", warn: "triangle-alert", none: "minus" }[icon]), said);
    holder.replaceChildren(dot);
  }

  /** Calls `each(event, data, id)` for every server-sent event of a response. */
  async function events(response, each) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      let end;
      while ((end = rest.indexOf("\n\n")) >= 0) {
        const lines = rest.slice(0, end).split("\n");
        rest = rest.slice(end + 2);
        const of = (name) => lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
        const [name] = of("event");
        if (name) each(name, of("data").join("\n"), of("id")[0]);
      }
    }
  }

  async function problemOf(response) {
    try {
      const problem = await response.json();
      return [problem.detail, problem.remedy].filter(Boolean).join(" ");
    } catch {
      return "The service did not answer. Load the page again.";
    }
  }

  const SECOND = 1000;
  /** For how long one answer is waited for before both its reasons are shown. */
  const BOTH_CAUSES = 60;
  /** How long the service's own check of a role that has appeared may take, before the page checks by itself. */
  const OWN_CHECK = 45 * SECOND;
  const pause = (time) => new Promise((resume) => setTimeout(resume, time));

  const stepsOf = () => [...document.querySelectorAll('.checklist > li[id^="step-"]')];
  const tell = (text) => { const words = $("check-progress"); if (words) words.textContent = text; };
  const clock = (text) => { const words = $("wait-clock"); if (words) words.textContent = text; };
  const title = (text) => { const head = $("verdict-title"); if (head) head.textContent = text; };

  /** Shows steps as not tried, or as being tried. */
  function reset(items, word, icon) {
    for (const item of items) {
      for (const why of item.querySelectorAll(".why, .time")) why.remove();
      item.dataset.kind = icon;
      stateOf(item, word, icon);
    }
  }

  function checking() {
    const steps = stepsOf();
    reset(steps, "Checking", "busy");
    $("not-there")?.remove();
    const verdict = $("verdict");
    if (verdict) delete verdict.dataset.ended;
    title("Checking the connection");
    clock("");
    tell(`Checking ${steps.length} steps.`);
  }

  /** Checks once and shows each step as it ends. `patient`: tries again for a minute, as a new role may need it. */
  async function check(form, patient) {
    const button = form.querySelector("button");
    const label = button.textContent;
    const body = new URLSearchParams(new FormData(form));
    if (patient) body.set("wait", "60");
    button.disabled = true;
    button.textContent = "Checking…";
    checking();
    const steps = stepsOf();
    // Buttons enabled by the last check are disabled until this one ends.
    const waiting = [...document.querySelectorAll("#outcome button:enabled")];
    for (const one of waiting) one.disabled = true;
    const finished = new Map();
    let ended = false;
    const fail = (text) => {
      ended = true;
      tell(text);
      for (const one of waiting) one.disabled = false;
      reset([...document.querySelectorAll('li[data-kind="busy"]')], "Waiting", "none");
    };
    try {
      const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/event-stream" } });
      if (!response.ok || !response.body) {
        fail(await problemOf(response));
      } else {
        await events(response, (name, data) => {
          if (name === "step") {
            const item = place(data);
            if (!item) return;
            // With its problem it is the same step again, not another try.
            if ("diagnosed" in item.dataset) {
              finished.set(item.id, item.dataset.kind);
              return;
            }
            const again = finished.has(item.id);
            if (again && finished.size >= steps.length) finished.clear();
            finished.set(item.id, item.dataset.kind);
            tell(`${finished.size} of ${steps.length} checks done${again ? ", trying again while AWS applies the change" : ""}.`);
          } else if (name === "outcome") {
            ended = true;
            place(data);
            document.dispatchEvent(new Event("check-ended"));
            const failed = [...finished.values()].filter((kind) => kind === "bad").length;
            if (!$("verdict")) tell(failed ? `${failed} of ${steps.length} checks failed.` : `All ${steps.length} checks are done.`);
            say(failed ? `${failed} of ${steps.length} checks failed.` : "The connection works.");
          } else if (name === "failed") {
            fail(data);
          }
        });
        if (!ended) fail("The answer broke off. The check goes on without this page: load the page again to see its result.");
      }
    } catch {
      fail("The service could not be reached. Check again when it can.");
    }
    button.disabled = false;
    button.textContent = label === "Check connection" ? "Check again" : label;
    delete form.dataset.sent;
  }

  /** Takes the present state of these parts of the page from our server. */
  async function refresh(...ids) {
    const response = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const id of ids) {
      const part = fresh.getElementById(id);
      if (part) $(id)?.replaceWith(document.adoptNode(part));
    }
    document.dispatchEvent(new CustomEvent("htmx:load", { detail: {} }));
  }

  /** Follows the setup until its role is there and has been checked. While the page follows, the service tries the
      role every three seconds, and checks a role that appears by itself. */
  async function waitForRole(form) {
    const stop = new AbortController();
    const button = form.querySelector("button");
    const label = button.textContent;
    const box = form.querySelector(".tick-box");
    if (box) box.hidden = true;
    button.textContent = "Stop";
    button.type = "button";
    button.className = "";
    const halt = (event) => { event.preventDefault(); stop.abort(); };
    button.addEventListener("click", halt);
    reset(stepsOf().slice(0, 1), "Waiting", "busy");
    const began = performance.now();
    let found = false;
    let checked = false;
    let ended = false;
    let trouble = "";
    let last = "";
    let overdue = 0;
    const show = () => {
      const seconds = Math.round((performance.now() - began) / SECOND);
      clock(found ? "" : ` · ${seconds} s`);
      if (seconds >= BOTH_CAUSES && $("not-there")) $("not-there").hidden = false;
    };
    show();
    const ticking = setInterval(show, SECOND);
    while (!checked && !ended && !trouble && !stop.signal.aborted) {
      try {
        const headers = { Accept: "text/event-stream" };
        if (last) headers["Last-Event-ID"] = last;
        const response = await fetch(form.dataset.wait, { headers, signal: stop.signal });
        if (response.status === 204) { ended = true; break; }
        if (!response.ok || !response.body) { trouble = await problemOf(response); break; }
        await events(response, (name, data, id) => {
          last = id || last;
          if (name === "role_appeared" && !found) {
            found = true;
            checking();
            tell(`Checking ${stepsOf().length} steps. New permissions can take half a minute to apply.`);
            button.disabled = true;
            // The workspace may have checked as often as it may just now.
            overdue = setTimeout(() => stop.abort(), OWN_CHECK);
          } else if (name === "check_finished" && JSON.parse(data).is_current) {
            checked = true;
            stop.abort();
          } else if (name === "completed") {
            ended = true;
            stop.abort();
          }
        });
      } catch {
        // The service was away, or restarts: the next stream goes on where this one broke off.
      }
      // A stream ends after five minutes.
      if (!checked && !ended && !trouble && !stop.signal.aborted) await pause(3 * SECOND);
    }
    clearInterval(ticking);
    clearTimeout(overdue);
    button.removeEventListener("click", halt);
    if (ended) { location.reload(); return; }
    if (checked) {
      await refresh("check-card", "path");
      say($("verdict-title")?.textContent ?? "");
      return;
    }
    // The button is a submitting one again only when the click is at its end.
    await pause(0);
    button.type = "submit";
    button.disabled = false;
    button.textContent = label;
    if (box) box.hidden = false;
    if (found) { await check(form, true); return; }
    clock("");
    title("Check the connection");
    tell(trouble || "The page has stopped waiting. The role is looked for from time to time all the same. Check the connection when it is there.");
    reset(stepsOf().slice(0, 1), "Waiting", "none");
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-check]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    check(event.target, false);
  }, true);

  addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-check]");
    if (form && "wait" in form.dataset) waitForRole(form);
    // The role has appeared while nobody looked.
    else if (form && "start" in form.dataset) check(form, true);
  });

  // --- The check step that runs in this browser.
  async function probe(box) {
    const item = $("browser-step");
    const words = $("browser-words");
    const began = performance.now();
    const origin = location.origin;
    const setup = `${document.body.dataset.base}/settings/setups/${box.dataset.setup}`;
    const here = `${setup}?step=`;
    const link = (href, text) => {
      const a = document.createElement("a");
      a.href = here + href;
      a.textContent = text;
      return a;
    };
    const show = (kind, word, text, ofCors) => {
      item.dataset.kind = kind;
      stateOf(item, word, kind);
      words.replaceChildren(text, " ");
      if (ofCors) words.append(link("role&way=console", "Show the CORS configuration"), " ");
      if (kind === "bad") words.append(link("check&browser=try", "Try again"));
      $("browser-time").textContent = `${Math.round(performance.now() - began)} ms`;
      say(`${word}. ${text}`);
    };
    const post = (path, more) => fetch(`${setup}/${path}`, {
      method: "POST", body: new URLSearchParams({ csrf: box.dataset.csrf, ...more }),
    });
    stateOf(item, "Trying", "busy");
    const begun = await post("browser-probe");
    if (!begun.ok) return show("bad", "Failed", await problemOf(begun));
    const { probe: id, put, get, delete: remove } = await begun.json();
    const notAllowed = (method) =>
      `The browser was not allowed to talk to the bucket: the bucket’s CORS configuration does not let ${origin} use ${method}. Apply what “Set up AWS” shows. A blocked network can look the same.`;
    const text = `probe ${id}`;
    let there = false;
    let result = null;
    const call = async (method, signed, body) => {
      try {
        return await fetch(signed.url, { method, body, headers: signed.headers, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
      } catch {
        result = ["bad", "Failed", notAllowed(method), true];
        return null;
      }
    };
    if (put) {
      there = true;
      const answer = await call("PUT", put, new Blob([text]));
      if (answer && !answer.ok) result = ["bad", "Failed", `S3 answered ${answer.status} to PUT. Check the connection again: its steps say what is missing.`];
    }
    if (!result) {
      const answer = await call("GET", get);
      if (answer && put) {
        const back = answer.ok ? await answer.text() : null;
        if (!answer.ok) result = ["bad", "Failed", `S3 answered ${answer.status} to GET. Check the connection again: its steps say what is missing.`];
        else if (back !== text) result = ["bad", "Failed", "What was read back is not what was put. Something between this browser and S3 changes files."];
      } else if (answer && ![403, 404].includes(answer.status)) {
        result = ["bad", "Failed", `S3 answered ${answer.status} to GET of a file that does not exist.`];
      }
    }
    if (remove && there) {
      const before = result;
      const answer = await call("DELETE", remove);
      if (before) result = before;
      if (answer && answer.ok) there = false;
      else if (answer && !result) result = ["bad", "Failed", `S3 answered ${answer.status} to DELETE.`];
    }
    if (there) await post("browser-probe/clean-up", { probe: id }).catch(() => {});
    show(...(result || ["good", "Passed", put
      ? `This browser put, read and deleted a probe file from ${origin}.`
      : `This browser may read files from ${origin}.`]));
  }

  addEventListener("DOMContentLoaded", () => {
    const box = $("browser");
    if (box && box.hasAttribute("data-start")) {
      probe(box).catch(() => { stateOf($("browser-step"), "Failed", "bad"); $("browser-words").textContent = "The service could not be reached. Load the page again."; });
    }
  });
})();
