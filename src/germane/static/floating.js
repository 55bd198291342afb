// -- floating: boxes above the page, in a shadow of their own, so that no style of the page meets ours -

const words = {
  why: "Why am I seeing this?", less: "Less like this", everyone: "This is shown to everyone.", close: "Close",
  noted: "Noted: you will see less like this.", done: "done", of: "of", todo: "to do",
  not: "Not for this reason", none: "No personalisation for me", again: "Personalise for me again", ok: "Noted.", more: "More",
};
const boxes = []; // that are open, the latest last
let root = null, live = null;

function ground() {
  if (root && root.host.isConnected) return root;
  const host = element("germane-ui", { "data-theme": me.theme });
  root = host.attachShadow({ mode: "open" });
  dress(root);
  root.append(live = element("div", { role: "status", "aria-live": "polite", class: "unseen" }));
  doc.documentElement.append(host);
  return root;
}

/** For people who listen to the page. */
function announce(text) {
  ground();
  live.textContent = "";
  later(() => { live.textContent = text; }, 100);
}

/**
 * Show a box; returns what closes it. With an anchor it stands beside that, turns to the other side at the
 * window's edge, and follows it. Escape and the cross close it; the focus goes back to where it was.
 */
function open(box, { anchor, focus, closed, gone }) {
  const before = doc.activeElement, ends = [];
  const shut = safe(byPerson => {
    if (!boxes.includes(box)) return;
    const inside = root && root.activeElement;
    for (const each of ends.splice(0)) each();
    boxes.splice(boxes.indexOf(box), 1);
    box.remove();
    if (inside && before && before.isConnected) before.focus({ preventScroll: true });
    if (closed) closed(byPerson === true);
  });
  const cross = element("button", { type: "button", class: "cross", "aria-label": words.close }, "×");
  box.append(cross);
  listen(cross, "click", () => shut(true));
  ends.push(listen(win, "keydown", event => {
    if (event.key === "Escape" && !event.defaultPrevented && boxes[boxes.length - 1] === box) shut(true);
  }));
  ground().append(box);
  boxes.push(box);
  if (anchor) {
    ends.push(follow(box, anchor, () => {
      shut();
      if (gone) gone();
    }));
  }
  if (focus) {
    box.focus({ preventScroll: true });
    ends.push(listen(win, "pointerdown", event => {
      if (!event.composedPath().includes(box)) shut(true);
    }, true));
  }
  return shut;
}

function follow(box, anchor, gone) {
  let frame = 0;
  const place = safe(() => {
    frame = 0;
    if (!anchor.isConnected) return gone();
    const at = anchor.getBoundingClientRect(), gap = 10, edge = 8;
    const wide = doc.documentElement.clientWidth, high = win.innerHeight, { offsetWidth: w, offsetHeight: h } = box;
    const below = at.bottom + gap + h <= high - edge || at.top - gap - h < edge;
    const middle = at.left + at.width / 2, left = Math.max(edge, Math.min(middle - w / 2, wide - w - edge));
    box.style.left = `${left}px`;
    box.style.top = `${below ? at.bottom + gap : at.top - gap - h}px`;
    box.style.setProperty("--tip", `${Math.max(16, Math.min(middle - left, w - 16))}px`);
    box.dataset.side = below ? "below" : "above";
    box.style.visibility = at.bottom < 0 || at.top > high || !(at.width || at.height) ? "hidden" : "visible";
  });
  const again = () => { frame = frame || requestAnimationFrame(place); };
  const ends = [listen(win, "scroll", again, { capture: true, passive: true }), listen(win, "resize", again)];
  const sizes = new ResizeObserver(again), nodes = new MutationObserver(again);
  sizes.observe(anchor);
  sizes.observe(doc.documentElement);
  nodes.observe(doc, { childList: true, subtree: true });
  place();
  return () => {
    for (const each of ends) each();
    sizes.disconnect();
    nodes.disconnect();
    cancelAnimationFrame(frame);
  };
}

