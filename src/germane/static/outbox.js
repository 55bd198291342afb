// -- outbox: what is to be told, kept until the server has it ---------------------------------------
// One entry a message in localStorage, so that tabs never overwrite one another. Everything has a message
// id: what is sent twice counts once.

const TAB = uuid().slice(0, 8);
const MOST_KEPT = 300, MOST_BYTES = 30000, KEPT_FOR = 7 * DAY;
const sending = new Set();
let count = 0, wait = 0, timer = 0, notBefore = 0;

/** Keep a message and send it soon. */
function post(path, body) {
  if (!me.ready) return;
  const name = `q:${Date.now().toString(36)}:${TAB}:${(count++).toString(36).padStart(4, "0")}`;
  store.set(name, { path, body });
  const all = store.names("q:");
  for (const each of all.slice(0, Math.max(0, all.length - MOST_KEPT))) store.drop(each);
  soon(20);
}

function soon(ms) {
  clearTimeout(timer);
  timer = later(flush, Math.max(ms, notBefore - Date.now()));
}

/** Send what waits: this tab's, and what a page before has left. `leaving`: at once, whatever happened. */
function flush(leaving) {
  if (!me.ready || navigator.onLine === false) return;
  if (Date.now() < notBefore && !leaving) return soon(0);
  let events = [], bytes = 0, others = false;
  for (const name of store.names("q:")) {
    const [, at, tab] = name.split(":");
    const age = Date.now() - parseInt(at, 36), entry = store.get(name);
    if (!entry || age > KEPT_FOR) {
      store.drop(name);
    } else if (tab !== TAB && age < 10 * SECOND) {
      others = true; // another tab's, or of the page before: it may be on its way
    } else if (!sending.has(name)) {
      if (entry.path !== "/v1/batch") {
        deliver(entry.path, entry.body, [name]);
        continue;
      }
      const size = json(entry.body).length;
      if (events.length && (bytes + size > MOST_BYTES || events.length >= 100)) {
        deliverEvents(events);
        events = [];
        bytes = 0;
      }
      events.push([name, entry.body]);
      bytes += size;
    }
  }
  if (events.length) deliverEvents(events);
  if (others && !leaving) soon(10 * SECOND);
}

function deliverEvents(events) {
  const batch = events.map(each => each[1]);
  deliver("/v1/batch", { batch, sentAt: new Date().toISOString() }, events.map(each => each[0]));
}

async function deliver(path, body, names) {
  for (const each of names) sending.add(each);
  const asks = path !== "/v1/batch" && me.token;
  try {
    if (asks && !held && !await renew()) throw new Error("no token yet");
    let answer = await call(path, body);
    if (answer.status === 401 && asks && await renew()) answer = await call(path, body);
    if (answer.status === 429 || answer.status >= 500) throw answer;
    for (const each of names) store.drop(each); // taken, or refused for good
    wait = 0;
    notBefore = 0;
  } catch (error) {
    const told = Number(error && error.headers && error.headers.get("retry-after")) * SECOND;
    wait = Math.min(wait ? wait * 2 : 2 * SECOND, 300 * SECOND);
    notBefore = Date.now() + (told || wait * (0.75 + Math.random() / 2));
    soon(0);
  } finally {
    for (const each of names) sending.delete(each);
  }
}

function track(event, properties) {
  say({ type: "track", event: String(event), properties: properties || {} });
}

function identify(userId, traits) {
  if (userId) become(String(userId));
  say({ type: "identify", traits: traits || {} });
}

function page(name, properties) {
  const shown = { title: doc.title, url: location.href, path: location.pathname, referrer: doc.referrer };
  say({ type: "page", ...(name ? { name: String(name) } : {}), properties: { ...shown, ...properties } });
}

/** One message of the Segment HTTP API. */
function say(message) {
  const context = { locale: navigator.language, timezone: zone(), page: { url: location.href, path: location.pathname, title: doc.title },
    library: { name: "germane.js", version: VERSION } };
  if (navigator.globalPrivacyControl) context.globalPrivacyControl = true;
  const who = { anonymousId: me.anonymousId, ...(me.userId ? { userId: me.userId } : {}) };
  post("/v1/batch", { ...who, ...message, messageId: "gjs-" + uuid(), timestamp: new Date().toISOString(), context });
}

function zone() {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

