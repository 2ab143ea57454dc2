// The words of <sallyport-picker>, and what the endings of names stand for.
"use strict";

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

/** The words in the language of an element, or else of its page or the browser. */
function textsFor(element) {
  const lang = (element.lang || element.closest("[lang]")?.lang || navigator.language || "en").toLowerCase();
  return lang === "de" || lang.startsWith("de-") ? TEXTS.de : TEXTS.en;
}

const localeOf = (text) => text === TEXTS.de ? "de" : "en";

function sizeInWords(bytes, text) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let at = 0;
  for (; bytes >= 999.95 && at < 4; at += 1) bytes /= 1000;
  return new Intl.NumberFormat(localeOf(text), {
    style: "unit", unit: units[at], unitDisplay: at ? "short" : "long", maximumFractionDigits: at ? 1 : 0,
  }).format(bytes);
}
