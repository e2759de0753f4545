/** Keeps the page up to date: asks once a second, draws with the functions that the server draws with. */

import { FEW_TURBINES } from "../../live.ts";
import { RateWindow } from "../../rates.ts";
import { countersOf, PAGE_RATE_WINDOW_MS } from "../counters.ts";
import { mainOf, titleOf } from "../main.ts";
import { Charts } from "./charts.js";
import { morph } from "./morph.js";

/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */

const EVERY_MS = 1000;
/** Of a large farm the turbines are asked for less often: their answer is long. */
const MANY_EVERY_MS = 5000;
const PATIENCE_MS = 4000;
/** So many answers may fail to come before the page says that the agent is gone. */
const MISSES = 2;

const main = element("main");
const gone = element("gone");
const news = element("news");
const charts = new Charts(element("rate-chart"), element("depth-chart"));
const rates = new RateWindow(PAGE_RATE_WINDOW_MS);
let lastState = "";
let lastSeen = new Date();
let misses = 0;
let looking = false;
/** @type {import("../../live.ts").Live | undefined} */
let live;
let liveAt = Number.NEGATIVE_INFINITY;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let next;

async function look() {
  if (looking) return;
  looking = true;
  clearTimeout(next);
  try {
    await refreshLive();
    show(await ask("/api/status"));
    await charts.refresh(ask);
  } catch {
    misses++;
    if (misses >= MISSES) showGone();
  }
  looking = false;
  // A page that nobody looks at asks nothing.
  if (!document.hidden) next = setTimeout(look, EVERY_MS);
}

async function refreshLive() {
  const everyMs = (live?.turbines.length ?? 0) > FEW_TURBINES ? MANY_EVERY_MS : 0;
  if (performance.now() - liveAt < everyMs) return;
  live = await ask("/api/live");
  liveAt = performance.now();
}

/** @param {Snapshot} snapshot */
function show(snapshot) {
  if (live === undefined) return;
  if (snapshot.version !== document.body.dataset.version) location.reload();
  if (String(snapshot.startedMs) !== document.body.dataset.started) {
    document.body.dataset.started = String(snapshot.startedMs);
    charts.forget();
  }
  misses = 0;
  lastSeen = new Date();
  delete document.body.dataset.gone;
  gone.textContent = "";
  rates.push(snapshot.nowMs, countersOf(snapshot));
  const drawn = document.createElement("template");
  drawn.innerHTML = mainOf(snapshot, rates, live).text;
  morph(main, drawn.content);
  document.title = titleOf(snapshot);
  tell(snapshot);
}

/**
 * A change of state is read out; a sentence that only counts on is not.
 * @param {Snapshot} snapshot
 */
function tell({ state, sentence }) {
  if (state !== lastState) news.textContent = sentence;
  lastState = state;
}

function showGone() {
  if (document.body.dataset.gone !== undefined) return;
  document.body.dataset.gone = "";
  document.title = "No answer from the agent";
  gone.textContent =
    `The agent has not answered since ${lastSeen.toTimeString().slice(0, 8)}. What stands here is from then; ` +
    "it is asked again each second. Readings that were acknowledged are safe on its disk.";
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
});
look();
