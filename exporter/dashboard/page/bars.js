/* The bars of a check: one a stretch of time, told by hover and by arrow keys. */

function bars(label, stretches, tellStretch) {
  const items = stretches.map((stretch, i) => bar(stretch, i === stretches.length - 1, tellStretch));
  const strip = h("ol", { class: "strip", role: "listbox", "aria-orientation": "horizontal", "aria-label": label }, items);
  const texts = new Map(items.map((item, i) => [item, tellStretch(stretches[i])]));
  const show = (item) => { if (texts.has(item)) tell(texts.get(item), item.getBoundingClientRect()); };
  strip.addEventListener("mouseover", (event) => show(event.target.closest("li")));
  strip.addEventListener("mouseout", hush);
  strip.addEventListener("focusin", (event) => show(event.target.closest("li")));
  strip.addEventListener("focusout", hush);
  strip.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = items[Math.min(Math.max(to, 0), items.length - 1)];
    items[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  return strip;
}

function bar(stretch, isLast, tellStretch) {
  const item = h("li", { role: "option", "aria-selected": "false", tabindex: isLast ? 0 : -1, "aria-label": tellStretch(stretch).replaceAll("\n", ", ") });
  const all = stretch.row ? STATES.reduce((sum, state) => sum + stretch.row[`${state}_s`], 0) : 0;
  if (!all) { item.className = "none"; return item; }
  /* The worst lies at the bottom; what went wrong at all is seen, however short. */
  const there = STATES.filter((state) => stretch.row[`${state}_s`] > 0);
  const least = { down: 14, degraded: 12, maintenance: 8, unknown: 0, up: 0 };
  const shares = there.map((state) => Math.max(least[state], (100 * stretch.row[`${state}_s`]) / all));
  const sum = shares.reduce((a, b) => a + b, 0);
  there.map((state, i) => [state, shares[i]]).reverse().forEach(([state, share]) => {
    const part = h("i", { class: state });
    part.style.height = `${(100 * share) / sum}%`;
    item.append(part);
  });
  return item;
}

/* Every stretch from a first to a last moment, with the row of it or none. */
function stretchesOf(found, grain, from, until) {
  const byStart = new Map(found.map((row) => [ms(row.started_at), row]));
  const stretches = [];
  for (let at = new Date(from); at.getTime() < until;) {
    const start = at.getTime();
    if (grain === "month") at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
    else at = new Date(start + { hour: HOUR, six_hours: 6 * HOUR, day: DAY, week: 7 * DAY }[grain] * 1000);
    stretches.push({ start, end: Math.min(at.getTime(), until), grain, row: byStart.get(start) || null });
  }
  return stretches;
}

function tellStretch({ start, end, grain, row }) {
  const from = new Date(start).toISOString();
  const last = new Date(end - 1).toISOString();
  const head = {
    hour: () => `${day(from)}, ${clock(from)}–${clock(new Date(end).toISOString())}`,
    six_hours: () => `${day(from)}, ${clock(from)}–${clock(new Date(end).toISOString())}`,
    day: () => day(from),
    week: () => `${day(from)} – ${day(last)}`,
    month: () => `${MONTHS[new Date(start).getUTCMonth()]} ${new Date(start).getUTCFullYear()}`,
  }[grain]();
  const all = row ? STATES.reduce((sum, state) => sum + row[`${state}_s`], 0) : 0;
  if (!all) return `${head}\nNo data`;
  const parts = ["up", "degraded", "down", "unknown", "maintenance"].filter((state) => row[`${state}_s`] > 0);
  return [head, ...parts.map((state) => `${WORDS[state]} ${toTheMinute(row[`${state}_s`])}`)].join("\n");
}

function toTheMinute(seconds) {
  if (seconds < 60) return "less than 1 min";
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (!hours) return `${minutes} min`;
  return minutes % 60 ? `${hours.toLocaleString("en-US")} h ${minutes % 60} min` : `${hours.toLocaleString("en-US")} h`;
}

function uptimeOf(found) {
  const sum = (state) => found.reduce((all, row) => all + row[`${state}_s`], 0);
  const seen = sum("up") + sum("degraded") + sum("down");
  return seen ? (sum("up") + sum("degraded")) / seen : null;
}

function legend() {
  return h("ul", { class: "legend", "aria-hidden": "true" }, ["up", "degraded", "down", "unknown", "maintenance"].map((state) => {
    const sample = h("i", { class: state });
    sample.style.height = "100%";
    return h("li", {}, h("span", { class: "strip" }, sample), `${SIGNS[state]} ${WORDS[state]}`);
  }));
}

function badge(state) {
  return h("span", { class: `state ${state}` }, WORDS[state]);
}
