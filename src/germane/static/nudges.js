// -- nudges: in-app messages, one at a time ------------------------------------------------------------

let showing = null, hide = null, stopWaiting = null;

/** Ask what waits for the person, and show it. Resolves with how many there are. */
async function nudges() {
  const found = (await question("/v1/inbox", {})).messages;
  if (!Array.isArray(found)) throw new Error("not an inbox");
  const closed = store.get("closed") || [];
  const good = found.filter(each => each && typeof each.messageId === "string" && each.title && !closed.includes(each.messageId));
  if (showing && good.some(each => each.messageId === showing)) return good.length;
  if (hide) hide(); // it holds no more
  next(good);
  return good.length;
}

function next(waiting) {
  if (stopWaiting) stopWaiting();
  stopWaiting = null;
  const [first, ...others] = waiting.filter(each => !each.expiresAt || Date.parse(each.expiresAt) > now());
  if (!first || !me.ready || showing) return;
  if (first.form !== "tooltip") return show(first, null, others);
  // A tooltip waits for its element; what comes after it need not wait for that.
  const free = others.filter(each => each.form !== "tooltip" || doc.querySelector(each.anchor));
  const there = safe(() => doc.querySelector(first.anchor), null)();
  if (there) return show(first, there, others);
  if (free.length) return next([...free, first, ...others.filter(each => !free.includes(each))]);
  stopWaiting = safe(() => appears(first.anchor, anchor => {
    stopWaiting = null;
    if (!showing) show(first, anchor, others);
  }), null)();
}

function show(nudge, anchor, others) {
  showing = nudge.messageId;
  const title = element("h2", { id: "title" }, nudge.title);
  const box = element("section", { role: "dialog", "aria-labelledby": "title", class: `box ${boxOf(nudge)}`, tabindex: "-1" },
    title, nudge.text && element("p", {}, nudge.text), nudge.form === "checklist" && steps(nudge), buttons(nudge), whyOf(nudge));
  const shut = open(box, {
    anchor,
    closed: byPerson => {
      showing = hide = null;
      if (!byPerson) return;
      remember(nudge);
      tell("Dismissed", nudge);
      later(() => next(others), SECOND / 2);
    },
    gone: () => later(() => next([nudge, ...others]), 50), // its element went away: wait until it is back
  });
  hide = shut;
  listen(box, "click", event => {
    const part = event.target.closest("[data-part]");
    if (!part) return;
    hide = null; // a followed list stays
    tell("Clicked", nudge, part.dataset.part);
    if (nudge.form === "checklist" && part.dataset.part !== "button") return;
    remember(nudge);
    shut();
    if (!part.href) later(() => next(others), SECOND / 2);
  });
  observe(box, () => tell("Viewed", nudge));
  announce([nudge.title, nudge.text].filter(Boolean).join(". "));
}

const boxOf = nudge => ["banner", "tooltip", "checklist"].includes(nudge.form) ? nudge.form : "banner";

function remember(nudge) {
  store.set("closed", [...(store.get("closed") || []), nudge.messageId].slice(-200));
}

function buttons(nudge) {
  const made = (nudge.buttons || []).map(each => {
    const link = address(each.url);
    return element(link ? "a" : "button", { href: link, type: link ? "" : "button", class: "act", "data-part": "button" }, each.label);
  });
  return made.length ? element("div", { class: "acts" }, ...made) : null;
}

function steps(nudge) {
  const all = nudge.steps || [], done = all.filter(each => each.done).length;
  const bar = element("progress", { max: String(all.length || 1), value: String(done), "aria-hidden": "true" });
  const list = element("ol", { role: "list" }, ...all.map(each => {
    const link = each.done ? "" : address(each.url);
    return element("li", { class: each.done ? "done" : "" },
      element("span", { class: "unseen" }, each.done ? `${words.done}: ` : `${words.todo}: `),
      element(link ? "a" : "span", { href: link, "data-part": link ? each.stepId : "" }, each.title));
  }));
  const body = doc.createDocumentFragment();
  body.append(element("p", { class: "count" }, `${done} ${words.of} ${all.length} ${words.done}`), bar, list);
  return body;
}

function whyOf(nudge) {
  const said = (nudge.reasons || []).filter(each => typeof each === "string" && each);
  const page = more(nudge.whyUrl);
  if (!said.length && !page) return null;
  return element("details", {}, element("summary", {}, words.why), element("ul", {}, ...said.map(each => element("li", {}, each))), page);
}

function tell(what, nudge, part) {
  track(`In-App Message ${what}`, { message_id: nudge.messageId, form: nudge.form, ...(part ? { part } : {}),
    ...(nudge.decisionId ? { decision_id: nudge.decisionId } : {}), ...(nudge.campaign ? { campaign: nudge.campaign } : {}) });
}

