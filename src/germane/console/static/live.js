// The live page: takes one picture a second from the server and draws it. No framework, no outside host.
"use strict";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const history = { events: [], decisions: [] };
const MEMORY = 60;

function number(value, digits = 0) {
  return value === null || value === undefined ? "–"
    : value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

function percent(part, whole) {
  return whole ? `${(100 * part / whole).toFixed(1)} %` : "–";
}

function svg(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function element(parent, name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  parent.append(node);
  return node;
}

function spark(id, name, value) {
  const values = history[name];
  values.push(value);
  if (values.length > MEMORY) values.shift();
  const node = $(id);
  node.replaceChildren();
  if (values.length < 2) return;
  const top = Math.max(...values, 1);
  const points = values.map((v, n) => `${(n / (MEMORY - 1)) * 120},${30 - (v / top) * 26}`);
  const last = ((values.length - 1) / (MEMORY - 1)) * 120;
  svg(node, "polygon", { class: "spark-fill", points: `0,32 ${points.join(" ")} ${last},32` });
  svg(node, "polyline", { class: "spark", points: points.join(" ") });
}

function weeks(rows) {
  const node = $("weeks");
  node.replaceChildren();
  const whole = rows.filter((row) => row[1] >= 20);
  if (whole.length === 0) {
    svg(node, "text", { x: 320, y: 120, class: "tick", "text-anchor": "middle" },
      "A point for each simulated week will appear here.");
    return;
  }
  const shares = whole.map((row) => [row[2] / row[1], row[3] / row[1]]);
  const top = Math.min(1, Math.ceil((Math.max(...shares.flat()) + 0.05) * 10) / 10);
  const left = 36, right = 540, bottom = 205, height = 185;
  const most = Math.max(13, shares.length);  // a quarter, or a little more
  const x = (n) => left + (right - left) * n / (most - 1);
  const y = (share) => bottom - height * (share / top);
  for (let step = 0; step <= top + 1e-9; step += 0.2) {
    svg(node, "line", { class: "axis", x1: left, x2: right, y1: y(step), y2: y(step) });
    svg(node, "text", { class: "tick", x: left - 6, y: y(step) + 4, "text-anchor": "end" }, `${Math.round(step * 100)} %`);
  }
  whole.forEach((row, n) => {
    if (n % 2 === 0) {
      const day = new Date(row[0]).toLocaleDateString("en", { day: "numeric", month: "short", timeZone: "UTC" });
      svg(node, "text", { class: "tick", x: x(n), y: bottom + 18, "text-anchor": "middle" }, day);
    }
  });
  const lines = [["theirs", 1, "Best-sellers"], ["ours", 0, "Germane"]];
  for (const [name, column, label] of lines) {
    const points = shares.map((share, n) => [x(n), y(share[column])]);
    svg(node, "polyline", { class: name, points: points.map((p) => p.join(",")).join(" ") });
    for (const [px, py] of points) svg(node, "circle", { class: `dot-${name}`, cx: px, cy: py, r: 3 });
    const [px, py] = points[points.length - 1];
    svg(node, "text", { class: `label-${name}`, x: px + 10, y: py + 4 }, label);
  }
}

function score(said) {
  if (!said || !said.slates) return;
  $("ours").textContent = percent(said.hits, said.slates);
  $("best").textContent = percent(said.bestHits, said.slates);
  const [hits, bestHits, count] = said.recent;
  $("score-text").textContent = count
    ? `Of the last ${number(count)} slates, ${percent(hits, count)} held something the household then bought; `
      + `the best-sellers list would have: ${percent(bestHits, count)}. Above: all ${number(said.slates)} since October.`
    : `Over all ${number(said.slates)} slates since October.`;
  $("p50").textContent = number(said.loop.p50, 1);
  $("p99").textContent = number(said.loop.p99, 1);
  $("pairs").textContent = number(said.loop.pairs);
  weeks(said.weeks);
}

function household(home, over) {
  if (!home) {
    if (over) $("ready").textContent = "The year is over: every trip was replayed. germane demo shop --fresh begins again.";
    return;
  }
  $("who").textContent = `Household ${home.id}`;
  const told = Object.entries(home.traits).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  $("ready").textContent = `${Math.round(home.readiness.value * 100)} % ready: ${home.readiness.meaning}`
    + (told.length ? ` Told us: ${told.join(", ")}.` : "");
  const list = $("interests");
  list.replaceChildren();
  const most = Math.max(...home.interests.map((each) => each.share), 0.01);
  for (const each of home.interests) {
    const row = element(list, "div", undefined, "interest");
    row.title = each.from.text;
    element(row, "i").style.width = `${(100 * each.share / most).toFixed(1)}%`;
    element(row, "span", each.value);
    element(row, "em", `${(each.share * 100).toFixed(1)} %`);
  }
  $("own").textContent = home.own.length ? `Most had: ${home.own[0].title || home.own[0].itemId} (${home.own[0].text}).` : "";
  trip(home.trip);
}

function trip(last) {
  const list = $("slate");
  list.replaceChildren();
  $("bought").textContent = $("changed").textContent = "";
  if (!last) {
    $("trip-title").textContent = "No trip yet in this run";
    return;
  }
  const hits = last.slate.filter((each) => each.hit).length;
  $("trip-title").textContent = `Its slate before the trip of ${last.at}: ${hits} of ${last.slate.length} bought`;
  for (const each of last.slate) {
    const card = element(list, "li", undefined, each.hit ? "hit" : "");
    element(card, "b", each.title);
    const price = each.price === null || each.price === undefined ? "" : ` · $${each.price.toFixed(2)}`;
    element(card, "span", `${each.category}${price}`);
    if (each.slot === "diverse") element(card, "span", "something new", "slot");
    if (each.slot === "explore") element(card, "span", "exploring", "slot");
    element(card, "em", each.hit ? `✓ bought. ${each.reason}` : each.reason);
  }
  $("bought").textContent = `It bought ${last.count} product${last.count === 1 ? "" : "s"}: ${last.bought.join("; ")}.`;
  $("changed").textContent = last.changed.length ? `New on the slate after it: ${last.changed.join("; ")}.` : "The slate after it holds the same items.";
}

function pick(ids, chosen) {
  const node = $("pick");
  if (document.activeElement === node) return;
  const wanted = [...new Set([...(chosen ? [chosen] : []), ...ids])];
  const have = [...node.options].slice(1).map((option) => option.value);
  if (wanted.join() === have.join()) return;
  node.replaceChildren(node.options[0]);
  for (const id of wanted) element(node, "option", id).value = id;
  node.value = chosen;
}

function show(picture) {
  document.body.classList.remove("lost");
  $("date").textContent = picture.date;
  const { done = 0, total = 0 } = picture.score || {};
  $("progress-text").textContent = total
    ? `${number(done)} of ${number(total)} trips replayed · ${number(picture.totals.records)} records in the log`
    : "The replay is about to begin.";
  $("progress").style.width = total ? `${100 * done / total}%` : "0";
  $("events").textContent = number(picture.rates.events);
  $("decisions").textContent = number(picture.rates.decisions);
  spark("events-line", "events", picture.rates.events);
  spark("decisions-line", "decisions", picture.rates.decisions);
  score(picture.score);
  household(picture.household, total > 0 && done >= total);
  pick(picture.households, following);
}

let following = "";
let source = null;

function listen() {
  if (source) source.close();
  source = new EventSource(`/console/live/events?follow=${encodeURIComponent(following)}`);
  source.onmessage = (message) => show(JSON.parse(message.data));
  source.onerror = () => {
    document.body.classList.add("lost");
    $("progress-text").textContent = "The server is not answering. Start it again with: germane demo shop";
  };
}

$("pick").addEventListener("change", (event) => {
  following = event.target.value;
  listen();
});
weeks([]);
listen();
