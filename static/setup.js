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

  /** Calls `each(event, data)` for every server-sent event of a response. */
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
        const name = lines.find((line) => line.startsWith("event: "));
        const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
        each(name ? name.slice(7) : "", data.join("\n"));
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

  /** How long a page waits for a role, in milliseconds. */
  const PATIENCE = 15 * 60 * 1000;
  const SECOND = 1000;

  const stepsOf = () => [...document.querySelectorAll('.checklist > li[id^="step-"]')];
  const tell = (text) => { const words = $("check-progress"); if (words) words.textContent = text; };
  const title = (text) => { const head = $("verdict-title"); if (head) head.textContent = text; };

  /** Shows steps as not tried, or as being tried. */
  function reset(items, word, icon) {
    for (const item of items) {
      for (const why of item.querySelectorAll(".why, .time")) why.remove();
      item.dataset.kind = icon;
      stateOf(item, word, icon);
    }
  }

  /** Checks once and shows each step as it ends. With `wait`, a role that is not there is nothing to report yet. */
  async function check(form, wait) {
    const button = form.querySelector("button");
    const steps = stepsOf();
    const label = button.textContent;
    const body = new URLSearchParams(new FormData(form));
    if (wait) body.set("wait", "60");
    button.disabled = !wait;
    if (!wait) button.textContent = "Checking…";
    if (!wait || !wait.rounds) reset(steps, "Checking", "busy");
    if (wait) reset(steps.slice(1), "Waiting", "none");
    const verdict = $("verdict");
    if (verdict) delete verdict.dataset.ended;
    if (!wait) { title("Checking the connection"); tell(`Checking ${steps.length} steps.`); }
    // Buttons enabled by the last check are disabled until this one ends.
    const waiting = [...document.querySelectorAll("#outcome button:enabled")];
    for (const one of waiting) one.disabled = true;
    const finished = new Map();
    let ended = false;
    let there = !wait;
    const fail = (text) => {
      ended = true;
      tell(text);
      for (const one of waiting) one.disabled = false;
      reset([...document.querySelectorAll('li[data-kind="busy"]')], "Waiting", "none");
    };
    try {
      const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/event-stream" }, signal: wait && AbortSignal.any([wait.stop.signal, wait.open.signal]) });
      if (!response.ok || !response.body) {
        fail(await problemOf(response));
      } else {
        await events(response, (name, data) => {
          if (name === "step") {
            if (!there) {
              const peek = document.createElement("template");
              peek.innerHTML = data;
              const { id, dataset } = peek.content.firstElementChild;
              if (id === "step-assume_role" && dataset.kind !== "bad") {
                there = true;
                wait.found = true;
                title("Checking the connection");
                reset(stepsOf().slice(1), "Checking", "busy");
              } else if (id === "step-assume_role" && "diagnosed" in dataset) {
                // A minute has gone: both causes, below the step that still waits.
                const item = place(data);
                item.dataset.kind = "busy";
                stateOf(item, "Waiting", "busy");
                return;
              } else {
                return;
              }
            }
            const item = place(data);
            if (!item) return;
            // No change that is under way opens a role to others: that is told at once.
            if (wait && item.dataset.kind === "bad" && item.id.startsWith("step-refuses_")) {
              wait.open.abort();
              return;
            }
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
            if (!there) return;
            place(data);
            document.dispatchEvent(new Event("check-ended"));
            const failed = [...finished.values()].filter((kind) => kind === "bad").length;
            if (!$("verdict")) tell(failed ? `${failed} of ${steps.length} checks failed.` : `All ${steps.length} checks are done.`);
            say(failed ? `${failed} of ${steps.length} checks failed.` : "The connection works.");
          } else if (name === "failed") {
            fail(data);
            if (wait) wait.over = true;
          }
        });
        if (!ended) fail("The answer broke off. The check goes on without this page: load the page again to see its result.");
      }
    } catch {
      if (wait?.stop.signal.aborted || wait?.open.signal.aborted) return false;
      fail("The service could not be reached. Check again when it can.");
    }
    button.disabled = false;
    if (!wait) button.textContent = label === "Check connection" ? "Check again" : label;
    delete form.dataset.sent;
    return there || ended === false;
  }

  /** Checks until the role is there, or the page's patience is at its end. */
  async function waitForRole(form) {
    const wait = { stop: new AbortController(), open: new AbortController(), rounds: 0, found: false, over: false };
    const began = performance.now();
    const button = form.querySelector("button");
    const label = button.textContent;
    const box = form.querySelector(".tick-box");
    if (box) box.hidden = true;
    button.textContent = "Stop";
    button.type = "button";
    button.className = "";
    // The button is a submitting one again before the click is at its end.
    const halt = (event) => { event.preventDefault(); wait.stop.abort(); };
    button.addEventListener("click", halt);
    title("Waiting for the role");
    const clock = setInterval(() => {
      if (!wait.found) tell(`Not there yet, or it refuses us · ${Math.round((performance.now() - began) / SECOND)} s`);
    }, SECOND);
    tell("Not there yet, or it refuses us");
    let done = false;
    while (!done && !wait.over && !wait.stop.signal.aborted && !wait.open.signal.aborted && performance.now() - began < PATIENCE) {
      done = await check(form, wait);
      wait.rounds += 1;
    }
    clearInterval(clock);
    button.removeEventListener("click", halt);
    if (!form.isConnected) return;
    button.type = "submit";
    button.textContent = label;
    if (box) box.hidden = false;
    if (wait.open.signal.aborted) {
      await check(form);
      return;
    }
    if (!done && !wait.over) {
      title("Check the connection");
      tell("The page has stopped waiting. Check again when the role is there.");
      reset(stepsOf().slice(0, 1), "Waiting", "none");
    }
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-check]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    check(event.target);
  }, true);

  addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-check][data-wait]");
    if (form) waitForRole(form);
  });

  // --- The check step that runs in this browser.
  async function probe(box) {
    const item = $("browser-step");
    const words = $("browser-words");
    const began = performance.now();
    const origin = location.origin;
    const here = `/settings/setups/${box.dataset.setup}?step=`;
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
    const post = (path, more) => fetch(`/settings/setups/${box.dataset.setup}/${path}`, {
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
