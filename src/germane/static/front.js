// -- front: what the page calls ------------------------------------------------------------------------

/** Begin. Without an anonymousId, the one of this browser is used, or made. */
function load(options) {
  const given = options || {};
  me.host = String(given.host || home).replace(/\/+$/, "");
  if (store.get("off")) return false;
  Object.assign(me, { writeKey: String(given.writeKey || ""), token: given.token || null, userId: "", theme: given.theme || "", debug: !!given.debug });
  Object.assign(words, given.words);
  me.anonymousId = given.anonymousId ? String(given.anonymousId) : store.get("id") || uuid();
  store.set("id", me.anonymousId);
  if (given.userId) become(String(given.userId));
  held = "";
  if (typeof me.token === "string") hold(me.token);
  me.ready = true;
  tidy();
  soon(SECOND);
  return true;
}

/** After a logout: another visitor from now on. */
function reset() {
  leave(); // what is still to be told of the one before needs their token
  for (const name of [...store.names("d:"), "id", "user", "closed"]) store.drop(name);
  Object.assign(me, { userId: "", token: null, anonymousId: uuid() });
  held = "";
  store.set("id", me.anonymousId);
}

/** Forget who this is, and be silent from now on. Remembered in this browser; optIn() and load() undo it. */
function optOut() {
  me.ready = false;
  clearTimeout(timer);
  for (const name of store.names("")) store.drop(name);
  store.set("off", true);
  for (const each of [...inView.keys()]) forget(each);
  if (eyes) eyes.disconnect();
  awaited.clear();
  if (root) root.host.remove();
  Object.assign(me, { userId: "", anonymousId: "", token: null });
  held = "";
  eyes = showing = root = null;
}

const begun = (work, otherwise) => function () {
  return me.ready ? work.apply(null, arguments) : otherwise;
};
/** A safe function whose answer is a promise in any case. */
const promised = (work, otherwise) => {
  const quiet = safe(work, otherwise);
  return function () {
    return Promise.resolve(quiet.apply(null, arguments));
  };
};
const germane = {
  version: VERSION,
  load: safe(load, false),
  track: safe(begun(track)),
  identify: safe(begun(identify)),
  page: safe(begun(page)),
  fill: promised(begun(fill, null), null),
  nudges: promised(begun(nudges, 0), 0),
  outcome: safe(begun(outcome)),
  flush: safe(() => flush(true)),
  reset: safe(reset),
  optOut: safe(optOut),
  optIn: safe(() => store.drop("off")),
  get anonymousId() { return me.anonymousId; },
};

const leave = () => {
  report();
  flush(true);
};

safe(() => {
  const name = (script && script.dataset.name) || "germane", before = win[name];
  const taken = before != null && !Array.isArray(before) && !(before instanceof Node) && !(before instanceof HTMLCollection);
  if (taken) return console.warn(`germane.js: window.${name} is taken. Choose another name: <script data-name="...">`);
  Object.defineProperty(win, name, { value: Object.freeze(germane), configurable: true, writable: true, enumerable: true });
  listen(win, "pagehide", leave);
  listen(doc, "visibilitychange", () => { if (doc.visibilityState === "hidden") leave(); });
  listen(win, "online", () => {
    notBefore = 0;
    soon(0);
  });
  listen(win, "pageshow", event => { if (event.persisted) soon(0); });
  if (Array.isArray(before)) for (const [call, ...given] of before) if (typeof germane[call] === "function") germane[call](...given);
  if (script && script.dataset.writeKey) byAttributes(script.dataset);
})();

/** <script src=".../germane.js" data-write-key="..."> and <div data-germane="SURFACE">: no script of the page's own. */
function byAttributes({ writeKey, token, userId, anonymousId, host, theme, nudges: wanted }) {
  if (!germane.load({ writeKey, token, userId, anonymousId, host, theme })) return;
  const begin = safe(() => {
    for (const slot of doc.querySelectorAll("[data-germane]")) {
      const { germane: surface, size, item } = slot.dataset;
      germane.fill(slot, surface, { size: Number(size) || 0, context: item ? { item } : undefined });
    }
    if (wanted !== undefined) germane.nudges();
  });
  if (doc.readyState === "loading") listen(doc, "DOMContentLoaded", begin);
  else begin();
}
