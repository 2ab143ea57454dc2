// How <sallyport-picker> looks. A sheet of its own is no inline style.
"use strict";

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
