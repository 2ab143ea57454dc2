// File selection, and uploads with progress. Both also work with plain forms, without this script.
"use strict";

for (const form of document.querySelectorAll("form[data-selection]")) {
  const boxes = [...form.querySelectorAll('input[name="key"]')];
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");
  const buttons = [...form.querySelectorAll("button[data-verb]")];
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    const files = chosen === 1 ? "1 file" : `${chosen} files`;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    if (count) count.textContent = chosen ? `${files} chosen` : "Tick files to do something with them.";
    for (const button of buttons) {
      button.disabled = chosen === 0;
      button.textContent = chosen ? `${button.dataset.verb} ${files}` : `${button.dataset.verb} the ticked files`;
    }
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

/** Uploads one file; resolves to the response after redirects. */
function send(form, file, onProgress) {
  const data = new FormData();
  // The server reads the fields in order: each must come before the file that it describes.
  data.append("csrf", form.elements.csrf.value);
  data.append("folder", form.elements.folder.value);
  if (form.elements.replace.checked) data.append("replace", "yes");
  data.append("size", String(file.size));
  data.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Error("The connection broke.")));
    request.send(data);
  });
}

/** The error text on the server's page. */
function problemOf(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const error = page.querySelector("#file-error span") || page.querySelector("main .card p");
  return error ? error.textContent.trim() : `The server answered ${request.status}.`;
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = [...form.elements.file.files];
    const part = form.querySelector("[data-progress]");
    const bar = part.querySelector("progress");
    const words = part.querySelector("[data-words]");
    const button = form.querySelector("button");
    const error = form.querySelector("[data-error]");
    error.replaceChildren();
    part.hidden = false;
    button.disabled = true;
    let last = null;
    try {
      for (const [at, file] of files.entries()) {
        words.textContent = files.length === 1 ? file.name : `${file.name} (${at + 1} of ${files.length})`;
        last = await send(form, file, (done) => { bar.value = (100 * (at + done)) / files.length; });
        if (last.status >= 400) throw new Error(`${file.name}: ${problemOf(last)}`);
      }
      location.assign(last.responseURL);
    } catch (problem) {
      const text = document.createElement("p");
      text.className = "error";
      text.id = "file-error";
      text.textContent = problem.message;
      error.append(text);
      part.hidden = true;
      button.disabled = false;
      button.textContent = "Upload";
      delete form.dataset.sent;
      form.elements.file.focus();
    }
  });
}
