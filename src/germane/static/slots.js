// -- slots: a place in the page gets what was decided for it -----------------------------------------
// Until then, and whenever something is wrong, it keeps what the page itself has put there.

const filled = new WeakMap(); // slot -> what it shows, to be let go when it is filled again

/**
 * Fill a slot. Resolves with the decision, or null where the page's own content stays.
 * options: template, render(item, decision), size, context: {item}, exclude, why: true | false
 */
async function fill(where, surface, options = {}) {
  const slot = typeof where === "string" ? await new Promise(found => appears(where, found)) : where;
  const { size, context, exclude } = options;
  const decision = await decide({ surface, ...(size ? { size } : {}), ...(context ? { context } : {}), ...(exclude ? { exclude } : {}) });
  if (!me.ready) return null;
  if (!decision.items.length) {
    if (decision.kind === "choice") observe(slot, () => impression(decision, 0)); // to do nothing was chosen, and is seen
    return decision;
  }
  const shown = [], made = draw(slot, decision, options, shown);
  for (const each of filled.get(slot) || []) forget(each);
  filled.set(slot, shown.map(each => each.node));
  const kept = [...slot.children].filter(each => each.localName === "template");
  slot.replaceChildren(...kept, made);
  for (const { node, item } of shown) attend(node, item, decision);
  slot.setAttribute("data-germane-filled", decision.arm);
  return decision;
}

function draw(slot, decision, options, shown) {
  dress(doc);
  const template = templateOf(slot, options), made = doc.createDocumentFragment();
  const list = !template && !options.render ? element("ul", { class: "germane-cards", role: "list" }) : made;
  for (const item of decision.items) {
    if (!item || typeof item.itemId !== "string") continue;
    const node = options.render ? rendered(options.render(item, decision)) : template ? stamped(template, item) : card(item);
    if (!node) continue;
    const place = node.querySelector("[data-why]");
    if (options.why !== false && (place || options.why || list !== made)) why(place || node, node, item, decision);
    shown.push({ node, item });
    list.append(node);
  }
  if (!shown.length) throw new Error("nothing to show");
  if (list !== made) made.append(list);
  return made;
}

function templateOf(slot, { template }) {
  const found = typeof template === "string" ? doc.querySelector(template) : template;
  return found || slot.querySelector(":scope > template");
}

/** What a page's function gave: an element, or a text, which stays a text. */
function rendered(given) {
  if (given instanceof DocumentFragment) return given.firstElementChild;
  return given instanceof Element ? given : given == null ? null : element("div", {}, String(given));
}

/** A copy of the template's first element; data-text, data-href, data-src, data-alt and data-if name attributes. */
function stamped(template, item) {
  const node = doc.importNode(template.content, true).firstElementChild;
  for (const each of [node, ...node.querySelectorAll("*")]) {
    const { text, href, src, alt, if: needed } = each.dataset;
    if (needed && !value(item, needed)) each.remove();
    if (text) each.textContent = value(item, text);
    if (alt) each.setAttribute("alt", value(item, alt));
    for (const [name, key] of [["href", href], ["src", src]]) {
      const safeOne = key && address(value(item, key), name === "src");
      if (safeOne) each.setAttribute(name, safeOne);
    }
  }
  return node;
}

/** A value as text. `priceText` is the price as people write it here; `itemId` and `position` are there, too. */
function value(item, name) {
  const all = { itemId: item.itemId, position: item.position, ...item.attributes };
  const found = name === "priceText" ? money(all) : Object.hasOwn(all, name) ? all[name] : "";
  return found == null || typeof found === "object" ? "" : String(found);
}

function money({ price, currency }) {
  if (typeof price !== "number") return "";
  try {
    return new Intl.NumberFormat(doc.documentElement.lang || undefined, { style: "currency", currency }).format(price);
  } catch {
    return price.toFixed(2);
  }
}

function card(item) {
  const image = address(value(item, "imageUrl"), true), link = address(value(item, "url"));
  const title = value(item, "title") || item.itemId;
  const inside = [
    image ? element("img", { src: image, alt: "", loading: "lazy", width: "320", height: "240" }) : element("span", { class: "germane-blank", "aria-hidden": "true" }),
    element("span", { class: "germane-title" }, title),
    value(item, "priceText") && element("span", { class: "germane-price" }, value(item, "priceText")),
  ];
  return element("li", { class: "germane-card" }, element(link ? "a" : "span", { class: "germane-link", href: link }, ...inside));
}

/** Watch what becomes of an item. */
function attend(node, item, decision) {
  observe(node, () => impression(decision, item.position));
  const clicked = event => {
    if (event.type === "auxclick" && event.button !== 1) return;
    if (!event.composedPath().some(each => each.classList && each.classList.contains("germane-why"))) answer("click", decision, item);
  };
  listen(node, "click", clicked);
  listen(node, "auxclick", clicked);
}

/** What the person says of what they see. Answers that are kept know nothing of it: they go. */
function tellOf(kind, decision, more) {
  for (const name of store.names("d:")) store.drop(name);
  post("/v1/feedback", { decisionId: decision.decisionId, kind, ...more });
}

/** The why-button: the reasons in sentences, and what to do about them. */
function why(place, node, item, decision) {
  const title = value(item, "title") || item.itemId, { itemId } = item;
  const button = element("button", { type: "button", class: "germane-why", "aria-haspopup": "dialog", "aria-label": `${words.why} (${title})` }, "?");
  if (place === node) node.classList.add("germane-item");
  place.append(button);
  listen(button, "click", event => {
    event.preventDefault();
    event.stopPropagation();
    const way = (label, done) => {
      const made = element("button", { type: "button" }, label);
      listen(made, "click", () => done(made));
      return made;
    };
    const reason = (text, i) => {
      const code = (item.reasonCodes || [])[i];
      return element("li", {}, text, code && way(words.not, made => {
        tellOf("not_this_reason", decision, { itemId, reason: code });
        announce(words.ok);
        box.focus();
        made.replaceWith(element("i", {}, words.ok));
      }));
    };
    const said = item.reasons || [], out = decision.arm === "opted_out";
    const box = element("section", { role: "dialog", class: "box small", "aria-label": words.why, tabindex: "-1" },
      element("h2", {}, words.why), element("ul", {}, ...(said.length ? said : [words.everyone]).map(reason)),
      way(words.less, () => {
        answer("dismiss", decision, item);
        tellOf("less_like_this", decision, { itemId });
        forget(node);
        shut();
        const next = node.nextElementSibling || node.previousElementSibling;
        node.remove();
        announce(words.noted);
        const there = next && next.querySelector(".germane-why");
        if (there) there.focus();
      }),
      way(out ? words.again : words.none, () => {
        tellOf(out ? "opt_in" : "opt_out", decision);
        shut();
        announce(words.ok);
      }), more(decision.whyUrl));
    const shut = open(box, { anchor: button, focus: true });
  });
}

/** The page that tells more. */
const more = safe(url => {
  const href = url && address(new URL(url, me.host || doc.baseURI));
  return href && element("a", { href, target: "_blank", rel: "noopener" }, words.more);
});
