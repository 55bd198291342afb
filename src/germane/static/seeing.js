// -- seeing: an impression is what was really there to be seen ----------------------------------------
// At least half of it (or half a window full), for a second without a break, in a page that is in front.

const LONG_ENOUGH = SECOND;
const inView = new Map(); // element -> timer
const seen = new Set(), watched = new WeakMap(), reports = new Map();
let eyes = null;

function observe(shown, work) {
  if (!eyes) {
    if (!win.IntersectionObserver) return;
    eyes = new IntersectionObserver(safe(moved), { threshold: [0, 0.1, 0.25, 0.5, 0.75, 1] });
    listen(doc, "visibilitychange", () => { for (const each of inView.keys()) clock(each); });
  }
  watched.set(shown, work);
  eyes.observe(shown);
}

function forget(shown) {
  if (eyes) eyes.unobserve(shown);
  clearTimeout(inView.get(shown));
  inView.delete(shown);
}

function moved(entries) {
  for (const each of entries) {
    const enough = each.intersectionRatio >= 0.5 || each.intersectionRect.height >= win.innerHeight / 2;
    if (enough === inView.has(each.target)) continue;
    if (enough) {
      clock(each.target);
    } else {
      clearTimeout(inView.get(each.target));
      inView.delete(each.target);
    }
  }
}

/** Begin the second again. */
function clock(shown) {
  clearTimeout(inView.get(shown));
  inView.set(shown, doc.visibilityState !== "visible" ? 0 : later(() => {
    const there = !shown.checkVisibility || shown.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!shown.isConnected || !there) return clock(shown);
    forget(shown);
    watched.get(shown)();
  }, LONG_ENOUGH));
}

/** A position of a decision was seen; those of half a second go together. */
function impression(decision, position) {
  const name = `${decision.decisionId}:${position}`;
  if (seen.has(name)) return;
  seen.add(name);
  const mine = reports.get(decision.decisionId) || [];
  if (!mine.length) later(report, SECOND / 2);
  mine.push(position);
  reports.set(decision.decisionId, mine);
}

function report() {
  for (const [decisionId, positions] of reports) {
    post("/v1/impressions", { decisionId, positions, timestamp: new Date(now()).toISOString(), messageId: "gjs-" + uuid() });
  }
  reports.clear();
}

/** A click or a dismissal, told in the way that the server's configuration means it. */
function answer(kind, decision, item) {
  const how = (decision.answers || {})[kind] || {};
  if (how.event) {
    track(how.event, { [how.property]: item.itemId, decision_id: decision.decisionId, surface: decision.surface, position: item.position });
  } else if (how.outcome) {
    outcome(decision.decisionId, item.itemId, how.outcome);
  }
}

function outcome(decisionId, itemId, name, value) {
  post("/v1/outcomes", { decisionId, itemId, outcome: name, ...(value == null ? {} : { value }),
    timestamp: new Date(now()).toISOString(), messageId: "gjs-" + uuid() });
}

