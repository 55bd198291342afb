// -- asking: questions to the server, and answers kept for when it cannot be reached -----------------

const PATIENCE = 3 * SECOND;
let held = "", fetching = null, asks = [];

/** POST as the simplest kind of request, which no browser asks permission for first. */
function call(path, body, signal) {
  const who = path === "/v1/batch" ? {} : held ? { token: held } : { person: { anonymousId: me.anonymousId } };
  return fetch_(me.host + path, {
    method: "POST", body: json({ writeKey: me.writeKey, ...who, ...body }), keepalive: !signal, credentials: "omit",
    headers: { "content-type": "text/plain" }, referrerPolicy: "strict-origin-when-cross-origin", signal,
  });
}

/** A token's claims, unverified: the server verifies. */
function claims(token) {
  try {
    const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), each => each.charCodeAt(0))));
  } catch {
    return {};
  }
}

/** Somebody with a name. Whoever had another one here before shares no anonymousId and no answers with them. */
function become(userId) {
  const before = store.get("user");
  if (before && before !== userId) {
    for (const name of [...store.names("d:"), "closed"]) store.drop(name);
    me.anonymousId = uuid();
    store.set("id", me.anonymousId);
  }
  store.set("user", userId);
  me.userId = userId;
}

/** Fetch a token where a function gives it; whether there is a new one. */
function renew() {
  if (typeof me.token !== "function") return Promise.resolve(false);
  fetching = fetching || (async () => {
    try {
      return hold(await within(Promise.resolve(me.token()), PATIENCE));
    } finally {
      fetching = null;
    }
  })();
  return fetching.catch(e => (note(e), false));
}

function hold(token) {
  if (typeof token !== "string" || !token || token === held) return false;
  held = token;
  const said = claims(token);
  if (said.userId) become(String(said.userId));
  if (said.anonymousId) me.anonymousId = String(said.anonymousId);
  return true;
}

function within(work, ms) {
  return Promise.race([work, new Promise((_, no) => setTimeout(no, ms, new Error("too slow")))]);
}

/** A question and its answer. Rejects when the server is away, slow, or answers with something else. */
async function question(path, body) {
  const soonOver = held && claims(held).exp * SECOND < Date.now() + 15 * SECOND;
  if (me.token && (!held || soonOver)) await renew();
  let found = await once(path, body);
  if (found.status === 401 && await renew()) found = await once(path, body);
  if (found.status !== 200) throw Object.assign(new Error(`${found.status}: ${found.said && found.said.message}`), found);
  me.skew = Date.parse(found.said.serverTime) - Date.now() || 0;
  return found.said;
}

async function once(path, body) {
  const stop = new AbortController(), alarm = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await call(path, body, stop.signal);
    return { status: answer.status, said: await answer.json().catch(() => null) };
  } finally {
    clearTimeout(alarm);
  }
}

/** By the server's clock. */
const now = () => Date.now() + (me.skew || 0);

/** A decision of a surface: all that are asked for at once go into one request. */
function decide(ask) {
  const name = () => `d:${me.userId || me.anonymousId}:${json(ask)}`; // who it is may be known only with the answer
  const kept = store.get(name());
  const fresh = kept && Date.parse(kept.expiresAt) > now() ? kept : null;
  if (navigator.onLine === false) return fresh ? Promise.resolve(fresh) : Promise.reject(new Error("offline"));
  return new Promise((yes, no) => {
    if (!asks.length) later(together, 0);
    asks.push({ ask, yes, no });
  }).then(decision => {
    store.set(name(), decision);
    return decision;
  }, error => {
    if (fresh) return fresh;
    throw error;
  });
}

async function together() {
  const mine = asks.splice(0, 20);
  if (asks.length) later(together, 0);
  try {
    const found = await answersTo(mine.map(each => each.ask));
    mine.forEach((each, i) => each.yes(found[i]));
  } catch (error) {
    if (mine.length === 1 || !(error.status >= 400 && error.status < 500)) return mine.forEach(each => each.no(error));
    for (const each of mine) answersTo([each.ask]).then(found => each.yes(found[0]), each.no); // one of them is wrong
  }
}

async function answersTo(surfaces) {
  const context = { locale: navigator.language, timezone: zone(), device: win.innerWidth < 700 ? "phone" : "desktop" };
  if (navigator.globalPrivacyControl) context.extra = { globalPrivacyControl: true };
  const { decisions } = await question("/v1/decide", { surfaces, context, explain: true });
  const good = each => each && typeof each.decisionId === "string" && Array.isArray(each.items);
  if (!Array.isArray(decisions) || decisions.length !== surfaces.length || !decisions.every(good)) {
    throw new Error("not an answer");
  }
  return decisions;
}

/** Drop answers that are too old to be shown. */
function tidy() {
  for (const name of store.names("d:")) {
    const kept = store.get(name);
    if (!kept || !(Date.parse(kept.expiresAt) > now())) store.drop(name);
  }
}

