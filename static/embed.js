// In a frame of the product's: tells the page around it how high this page is and how the dialog ended, and makes
// links to other sites leave the frame.
"use strict";

(() => {
  const { origin, status, setup, storage } = document.currentScript.dataset;
  const send = (message) => {
    if (origin && parent !== window) parent.postMessage(message, origin);
  };

  if (status) {
    const message = { type: `sallyport.${status}`, setup_id: setup };
    if (storage) message.storage_id = storage;
    send(message);
  }

  let last = 0;
  const measure = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height === last) return;
    last = height;
    send({ type: "sallyport.height", height });
  };
  addEventListener("DOMContentLoaded", () => {
    measure();
    new ResizeObserver(measure).observe(document.documentElement);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && link.origin !== location.origin && !link.target) link.target = "_top";
  }, true);
})();
