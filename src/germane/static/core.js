// -- core: what everything rests on ---------------------------------------------------------------
// Whatever goes wrong in here stays in here: the page that hosts us must never notice.

const win = window, doc = document;
const script = doc.currentScript instanceof HTMLScriptElement ? doc.currentScript : null;
const fetch_ = win.fetch && win.fetch.bind(win);
const SECOND = 1000, DAY = 86400 * SECOND;

/** Where the script came from: the server, and which of its projects. */
const home = /^\w+:\/+[^/]+(\/p\/[^/]+(?=\/germane))?|$/.exec(script && script.src)[0];
/** What `load` was told, and what came of it. */
const me = { host: home, writeKey: "", token: null, userId: "", anonymousId: "", ready: false };

function note(error) {
  try {
    if (me.debug) console.warn("germane:", error);
  } catch { /* not even the console works */ }
}

/** The same function, which never throws and never rejects. */
function safe(work, otherwise) {
  return function () { // `apply`, not `...`: that needs iterators, which a page may have broken
    try {
      const found = work.apply(null, arguments);
      return found instanceof Promise ? found.catch(e => (note(e), otherwise)) : found;
    } catch (error) {
      note(error);
      return otherwise;
    }
  };
}

function listen(target, name, work, options) {
  const heard = safe(work);
  target.addEventListener(name, heard, options);
  return () => target.removeEventListener(name, heard, options);
}

const later = (work, ms) => setTimeout(safe(work), ms);

/** JSON also where a library taught arrays to write themselves wrongly. */
function json(value) {
  const own = Object.getOwnPropertyDescriptor(Array.prototype, "toJSON");
  if (!own || !own.configurable) return JSON.stringify(value);
  delete Array.prototype.toJSON;
  try {
    return JSON.stringify(value);
  } finally {
    Object.defineProperty(Array.prototype, "toJSON", own);
  }
}

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  let text = "";
  for (const each of crypto.getRandomValues(new Uint8Array(16))) text += (each + 256).toString(16).slice(1);
  return text;
}

/** localStorage under our prefix, and that of a project; where there is none, this page's memory. */
const key = name => `germane${me.host.split("/p/")[1] || ""}:${name}`;
const store = {
  memory: new Map(),
  get(name) {
    try {
      const kept = localStorage.getItem(key(name));
      if (kept !== null) return JSON.parse(kept);
    } catch { /* blocked, or not ours */ }
    return this.memory.has(name) ? this.memory.get(name) : null;
  },
  set(name, value) {
    try {
      localStorage.setItem(key(name), json(value));
    } catch {
      this.memory.set(name, value);
    }
  },
  drop(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(key(name));
    } catch { /* blocked */ }
  },
  names(prefix) {
    const found = new Set(), under = key("");
    for (const each of this.memory.keys()) if (each.startsWith(prefix)) found.add(each);
    try {
      for (const each of Object.keys(localStorage)) if (each.startsWith(under + prefix)) found.add(each.slice(under.length));
    } catch { /* blocked */ }
    return [...found].sort();
  },
};

/** An address that is safe to follow or to load, or "": no script, no data. */
function address(value, forImage) {
  try {
    const found = new URL(String(value), doc.baseURI);
    const good = forImage ? ["http:", "https:"] : ["http:", "https:", "mailto:", "tel:"];
    return value && good.includes(found.protocol) ? found.href : "";
  } catch {
    return "";
  }
}

/** An element with attributes and children; texts are texts. */
function element(name, attributes, ...children) {
  const made = doc.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== "" && value != null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(each => each || each === 0));
  return made;
}

/** Our style, in the document or a shadow root: no style element, so any policy allows it. */
function dress(root) {
  if (dress.done.has(root)) return;
  dress.done.add(root);
  try {
    if (!dress.sheet) (dress.sheet = new CSSStyleSheet()).replaceSync(CSS);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, dress.sheet];
  } catch { // an old browser: a style element, with the page's nonce if it has one
    const old = element("style", { nonce: script && script.nonce }, CSS);
    (root.head || root).append(old);
  }
}
dress.done = new WeakSet();

/** Calls back as soon as something fits the selector, now or later (single-page apps). */
const awaited = new Set();
let watcher = null, glance = 0;

function appears(selector, work) {
  const found = doc.querySelector(selector); // a wrong selector is told at once
  if (found) {
    work(found);
    return () => {};
  }
  const entry = { selector, work: safe(work) };
  awaited.add(entry);
  watch();
  return () => awaited.delete(entry);
}

function watch() {
  if (watcher) return;
  watcher = new MutationObserver(() => { glance = glance || later(look, 50); });
  watcher.observe(doc, { childList: true, subtree: true, attributes: true, attributeFilter: ["id", "class", "hidden"] });
}

function look() {
  glance = 0;
  for (const each of [...awaited]) {
    const found = doc.querySelector(each.selector);
    if (found && awaited.delete(each)) each.work(found);
  }
  if (!awaited.size) {
    watcher.disconnect();
    watcher = null;
  }
}

