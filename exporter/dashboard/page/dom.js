/* Elements made of texts only, and times, spans and numbers in words. */

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/* A text from outside: whatever direction it is written in ends with it. */
function said(text, tag) {
  return h(tag || "bdi", { dir: "auto" }, text);
}

function rows(part) {
  if (!part || Array.isArray(part)) return part || [];
  return part.rows.map((cells) => Object.fromEntries(part.columns.map((name, i) => [name, cells[i]])));
}

const DATA = JSON.parse(document.getElementById("data").textContent);
const HOUR = 3600, DAY = 86400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const STATES = ["down", "degraded", "unknown", "maintenance", "up"];
const WORDS = { up: "Up", degraded: "Degraded", down: "Down", unknown: "Unknown", maintenance: "Maintenance" };
const SIGNS = { up: "✓", degraded: "!", down: "✕", unknown: "?", maintenance: "⚒" };

/* The state in the words of `ops-atomic status`. */
const HEADLINES = { up: "All is well", degraded: "Up, with warnings", down: "Down", unknown: "Nothing is known of now", maintenance: "In maintenance", stale: "Data is too old", "never seen": "No readable heartbeat yet" };
function headline(state, single, names, isMissed) {
  const unknown = single.filter((row) => row.state === "unknown").length;
  const but = [unknown && `${count(unknown)} of ${count(single.length)} unknown`, isMissed && "target missed"].filter(Boolean);
  if (["up", "degraded"].includes(state) && but.length) return [state === "up" ? "Up" : HEADLINES[state], ...but].join(", ");
  const more = names.length > 3 ? ` and ${count(names.length - 3)} more` : "";
  return HEADLINES[state] + (names.length ? `: ${names.slice(0, 3).join(", ")}${more}` : "");
}

const ms = (iso) => Date.parse(iso);
const two = (number) => String(number).padStart(2, "0");
function day(iso) {
  const at = new Date(iso);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}
const clock = (iso) => { const at = new Date(iso); return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`; };
const moment = (iso) => (iso ? `${day(iso)}, ${clock(iso)}` : "never");
function when(iso) {
  return iso ? h("time", { datetime: iso, class: "num" }, moment(iso)) : "never";
}

/* Seconds in words: `2 d 3 h`, `23 h 50 min`, `40 s`. */
function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const all = Math.round(Math.abs(seconds));
  const sign = seconds < 0 && all ? "−" : "";
  if (all < 60) return `${sign}${all} s`;
  const minutes = Math.round(all / 60);
  if (minutes < 60) return `${sign}${minutes} min`;
  if (minutes < 1440) return `${sign}${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
  const hours = Math.round(all / HOUR);
  return `${sign}${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ""}`;
}

/* What is left of a budget, or how far it was overdrawn. */
function budget(left, all) {
  if (left === null || left === undefined) return "–";
  return left < 0 ? `over by ${span(-left)}, of ${span(all)}` : `${span(left)} of ${span(all)}`;
}

/* A share in percent, never rounded up to 100 nor down to 0. */
function percent(share, digits) {
  if (share === null || share === undefined) return "–";
  const places = digits === undefined ? 2 : digits;
  const least = 10 ** -places;
  if (share === 1 || share === 0) return `${share * 100}\u00a0%`;
  if (share < 0 || share > 1) return `${(share * 100).toFixed(places).replace("-", "−")}\u00a0%`;
  return `${Math.min(100 - least, Math.max(least, share * 100)).toFixed(places)}\u00a0%`;
}

function count(number) {
  return number === null || number === undefined ? "–" : Math.round(number).toLocaleString("en-US");
}

function bytes(number) {
  if (number === null || number === undefined) return "–";
  let value = number;
  for (const unit of ["B", "KB", "MB", "GB", "TB"]) {
    if (Math.abs(value) < 1000 || unit === "TB") return `${unit === "B" || Math.abs(value) >= 100 ? Math.round(value) : value.toFixed(1)}\u00a0${unit}`;
    value /= 1000;
  }
}

function millis(number) {
  if (number === null || number === undefined) return "–";
  if (number >= 60000) return span(number / 1000);
  if (number >= 1000) return `${(number / 1000).toFixed(number >= 10000 ? 0 : 1)}\u00a0s`;
  return `${number >= 100 ? Math.round(number) : number.toFixed(1)}\u00a0ms`;
}

const FIXED = {
  overall: "Overall", redis: "Redis", database: "Database", api: "API",
  launchagent_optimizer: "Optimizer agent", launchagent_digest: "Digest agent", monitor: "Monitor", "*": "All checks",
};
function title(key) {
  if (Object.hasOwn(FIXED, key)) return FIXED[key];
  return String(key).split("/").map((part) => part.replaceAll("_", " ")).join(" / ").replace(/^./, (sign) => sign.toUpperCase());
}

/* What an element says when the mouse or the focus is on it. */
const tip = document.getElementById("tip");
function tell(text, box) {
  tip.textContent = text;
  tip.hidden = false;
  const wide = tip.offsetWidth, high = tip.offsetHeight;
  const left = Math.min(Math.max(8, box.left + box.width / 2 - wide / 2), window.innerWidth - wide - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${box.top > high + 12 ? box.top - high - 8 : box.bottom + 8}px`;
}
function hush() { tip.hidden = true; }
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hush(); });
document.addEventListener("scroll", hush, { passive: true, capture: true });

/* How old the data is, by the clock of who looks at it. */
function ageOf(asOf) { return Math.max(0, (Date.now() - ms(asOf)) / 1000); }
