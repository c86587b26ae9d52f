/* Charts by Vega-Lite, its expressions interpreted: no code is made of data. */

const BLUE = "#3b82c4", RED = "#d9552b", GREY = "#8a8f98";
/* Five lines that are told apart in all common kinds of colour blindness, and by
   their dashes. */
const LINES = ["#3b82c4", "#d98c1f", "#2f9e83", "#b565a7", "#8a8f98"];
const DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4]];
const waiting = new Map();
const seen = "IntersectionObserver" in window
  ? new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target)), { rootMargin: "400px" })
  : null;

/* A figure that is drawn when it comes near; `label` says in words what it shows. */
function chart({ label, caption, spec, columns, found, height }) {
  const place = h("div", { class: "chart", role: "img", "aria-label": label });
  if (height) place.style.height = `${height}px`;
  waiting.set(place, spec);
  if (seen) seen.observe(place);
  const figures = h("details", {}, h("summary", {}, "Show as a table"));
  figures.addEventListener("toggle", () => {
    if (figures.open && figures.children.length === 1) figures.append(table(label, columns, found));
  });
  return h("figure", {}, place, caption && h("figcaption", {}, caption), figures);
}

function draw(place) {
  const spec = waiting.get(place);
  if (!spec) return Promise.resolve();
  waiting.delete(place);
  if (seen) seen.unobserve(place);
  const full = {
    width: "container", height: "container", autosize: { type: "fit", contains: "padding" }, background: null,
    config: {
      aria: false, view: { stroke: null }, font: "system-ui, sans-serif",
      axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal", grid: true, tickSize: 3, labelLimit: 160 },
      axisX: { grid: false, labelOverlap: true }, legend: { labelFontSize: 11, title: null, orient: "top", labelLimit: 400 },
      line: { strokeWidth: 1.6 }, point: { filled: true },
    },
    ...spec,
  };
  return vegaEmbed(place, full, {
    ast: true, actions: false, renderer: "svg", defaultStyle: false,
    loader: { load: () => Promise.reject(new Error("nothing is loaded")) },
    tooltip: (handler, event, item, value) => {
      if (!value) return hush();
      const box = { left: event.clientX, top: event.clientY - 6, bottom: event.clientY + 12, width: 0 };
      tell(typeof value === "object" ? Object.entries(value).map(([name, cell]) => `${name}: ${cell}`).join("\n") : String(value), box);
    },
  }).then(() => {
    place.querySelectorAll("svg").forEach((svg) => { svg.setAttribute("aria-hidden", "true"); svg.setAttribute("focusable", "false"); });
  });
}

/* On paper all of them are there. */
function drawAll() { return Promise.all([...waiting.keys()].filter((place) => place.isConnected).map(draw)); }
window.addEventListener("beforeprint", drawAll);

function forgetCharts() { waiting.clear(); if (seen) seen.disconnect(); }

/* A line is broken where something is missing: nothing is known there. */
function withGaps(values, step) {
  return values.flatMap((value, i) => {
    const before = i ? ms(values[i - 1].at) : ms(value.at);
    return ms(value.at) - before > 1.5 * step ? [{ at: new Date(before + step).toISOString() }, value] : [value];
  });
}

const TIME = { field: "at", type: "temporal", title: null, scale: { type: "utc" }, axis: { format: "%-d %b", tickCount: 8 } };
function historyDays() {
  const first = rows(DATA.storage.days).map((row) => row.day).sort()[0];
  return first ? (ms(AS_OF) - ms(first)) / 864e5 : 0;
}
function timeAxis() {
  const format = shown.range === "24h" ? "%H:%M" : shown.range === "all" && historyDays() > 300 ? "%b %Y" : "%-d %b";
  const tickCount = rangeDays() <= 7 && shown.range !== "24h" ? { interval: "day", step: 1 } : 8;
  return { ...TIME, axis: { ...TIME.axis, format, tickCount } };
}
const points = (found, color) => (found.length < 45 ? { size: 24, color } : false);
const layers = (...found) => found.filter(Boolean);
/* Days take a tick each where there are few of them. */
function dayAxis(found) {
  const axis = timeAxis();
  const days = found.length ? (ms(found[found.length - 1].day) - ms(found[0].day)) / 864e5 : 0;
  return days < 10 ? { ...axis, axis: { ...axis.axis, format: "%-d %b", tickCount: { interval: "day", step: 1 } } } : axis;
}
const BYTES_AXIS = { tickCount: 5, labelExpr: "format(datum.value, '~s') + 'B'" };
const MS_AXIS = { title: "ms", format: "~s", tickCount: 5 };

function heartbeatChart() {
  const found = rows(DATA.heartbeats.heartbeats).filter((row) => row.grain === (shown.range === "all" ? "day" : "hour"));
  const inside = inRange(found, "observed_at");
  if (!inside.length) return none();
  const odd = inside.filter((row) => row.is_anomaly).length;
  const values = inside.map((row) => ({ at: row.observed_at, took: row.duration_ms, usual: row.expected_ms, odd: row.is_anomaly, tip: `${moment(row.observed_at)}: ${millis(row.duration_ms)}, usual ${millis(row.expected_ms)}` }));
  const middle = [...inside].map((row) => row.duration_ms).sort((a, b) => a - b)[Math.floor(inside.length / 2)];
  return chart({
    label: `Heartbeat duration, ${rangeName()}: median ${millis(middle)}, ${count(odd)} odd ${shown.range === "all" ? "days" : "hours"}`,
    caption: `Median ${shown.range === "all" ? "a day" : "an hour"} (line), what is usual then (dashes), ${count(odd)} far from it (triangles).`,
    columns: [["When", (row) => when(row.observed_at)], ["Took", (row) => millis(row.duration_ms), "num"], ["Usual", (row) => millis(row.expected_ms), "num"], ["Odd", (row) => (row.is_anomaly ? "odd" : "")]],
    found: inside,
    spec: {
      data: { values: withGaps(values, shown.range === "all" ? 864e5 : 36e5) },
      layer: layers(
        { mark: { type: "line", color: BLUE, point: points(values, BLUE) }, encoding: { x: timeAxis(), y: { field: "took", type: "quantitative", axis: MS_AXIS } } },
        inside.some((row) => row.expected_ms !== null) && { mark: { type: "line", color: GREY, strokeDash: [4, 3], strokeWidth: 1 }, encoding: { x: timeAxis(), y: { field: "usual", type: "quantitative" } } },
        odd > 0 && { transform: [{ filter: "datum.odd" }], mark: { type: "point", shape: "triangle-up", size: 55, color: RED, opacity: 1 }, encoding: { x: timeAxis(), y: { field: "took", type: "quantitative" }, tooltip: { field: "tip" } } },
        { mark: { type: "rule", opacity: 0, strokeWidth: 6 }, encoding: { x: timeAxis(), tooltip: { field: "tip" } } },
      ),
    },
  });
}

function queryChart() {
  const found = inRange(rows(DATA.queries.days), "day");
  if (!found.length) return none();
  const values = found.map((row) => ({ at: row.day, p95: row.p95_ms, tip: `${day(row.day)}: p95 ${millis(row.p95_ms)} of ${count(row.executions)} executions` }));
  const last = found[found.length - 1];
  return chart({
    label: `95th percentile of all queries a day, ${rangeName()}: ${millis(last.p95_ms)} on ${day(last.day)}`,
    caption: "p95 of all executions of a day.",
    columns: [["Day", (row) => row.day, "short"], ["p95", (row) => millis(row.p95_ms), "num"], ["Executions", (row) => count(row.executions), "num"], ["Total", (row) => millis(row.total_ms), "num"]],
    found,
    spec: { data: { values: withGaps(values, 864e5) }, mark: { type: "line", color: BLUE, point: points(found, BLUE) }, encoding: { x: dayAxis(found), y: { field: "p95", type: "quantitative", axis: MS_AXIS }, tooltip: { field: "tip" } } },
  });
}

function trendChart(texts) {
  const found = inRange(rows(DATA.queries.trends), "day");
  if (!found.length) return none();
  const hashes = [...new Set(found.map((row) => row.query_hash))];
  const name = (hash) => { const text = [...(texts.get(hash) || hash)]; return text.length > 52 ? `${text.slice(0, 51).join("")}…` : text.join(""); };
  const names = hashes.map((hash, i) => `${i + 1} ${name(hash)}`);
  const values = hashes.flatMap((hash) => withGaps(found.filter((row) => row.query_hash === hash).map((row) => ({ at: row.day, ...row })), 864e5).map((row) => ({ query_hash: hash, ...row }))).map((row) => ({ at: row.at, p95: row.p95_ms, name: names[hashes.indexOf(row.query_hash)], tip: `${day(row.at)}: p95 ${millis(row.p95_ms)}\n${name(row.query_hash)}` }));
  const scale = (range) => ({ domain: names, range: range.slice(0, names.length) });
  return chart({
    label: `95th percentile a day of the ${names.length} queries that took most time, ${rangeName()}`,
    caption: "p95 a day of the queries that took most time in 90 days.",
    height: 250,
    columns: [["Day", (row) => row.day, "short"], ["Query", (row) => said(texts.get(row.query_hash) || row.query_hash), "wide"], ["p95", (row) => millis(row.p95_ms), "num"]],
    found,
    spec: { data: { values }, mark: { type: "line", point: found.length < 160 ? { size: 20 } : false }, encoding: { x: dayAxis(found), y: { field: "p95", type: "quantitative", axis: MS_AXIS }, color: { field: "name", type: "nominal", scale: scale(LINES), legend: { columns: window.innerWidth < 700 ? 1 : 2, symbolType: "stroke" } }, strokeDash: { field: "name", type: "nominal", scale: scale(DASHES) }, tooltip: { field: "tip" } } },
  });
}

function tableChart(found) {
  const name = (row) => row.table_name || "(none named)";
  const values = found.slice(0, 8).map((row) => ({ name: name(row), total: row.total_ms / 1000, tip: `${name(row)}: ${millis(row.total_ms)}, ${percent(row.share_of_total, 1)} of all, ${count(row.executions)} executions` }));
  if (!values.length) return none();
  return chart({
    label: `Query time by table, ${rangeName()}: most on ${name(found[0])}, ${percent(found[0].share_of_total, 1)}`,
    caption: "Query time by table, seconds.",
    height: 250,
    columns: [["Table", (row) => said(name(row))], ["Time", (row) => millis(row.total_ms), "num"], ["Share", (row) => percent(row.share_of_total, 1), "num"], ["Executions", (row) => count(row.executions), "num"]],
    found,
    spec: { data: { values }, mark: { type: "bar", color: BLUE, height: { band: 0.7 } }, encoding: { y: { field: "name", type: "nominal", sort: null, title: null }, x: { field: "total", type: "quantitative", title: null, axis: { format: "~s", tickCount: 5, grid: true } }, tooltip: { field: "tip" } } },
  });
}

function rejectChart() {
  const found = dayOrWeek(rows(DATA.quality.days));
  if (!found.length) return none();
  const all = found.reduce((sum, row) => sum + row.rejected, 0);
  const stretch = shown.range === "all" ? "week" : "day";
  const values = found.map((row) => ({ at: row.day, rejected: row.rejected, tip: `${day(row.day)}: ${count(row.rejected)} rejected` }));
  return chart({
    label: `Rejected records a ${stretch}, ${rangeName()}: ${count(all)}`,
    caption: `Rejected records a ${stretch}; in all ${count(all)}.`,
    height: 150,
    columns: [[stretch === "day" ? "Day" : "Week from", (row) => row.day, "short"], ["Landed", (row) => count(row.landed), "num"], ["Duplicates", (row) => count(row.duplicates), "num"], ["Rejected", (row) => count(row.rejected), "num"]],
    found,
    spec: { data: { values }, mark: { type: "bar", color: RED, width: { band: 0.8 } }, encoding: { x: { ...dayAxis(found), timeUnit: stretch === "day" ? "utcyearmonthdate" : "utcyearweek" }, y: { field: "rejected", type: "quantitative", title: null, axis: { tickMinStep: 1, tickCount: 4, format: "~s" } }, tooltip: { field: "tip" } } },
  });
}

function storageChart(ahead) {
  const found = dayOrWeek(rows(DATA.storage.days));
  if (!found.length) return none();
  const values = found.map((row) => ({ at: row.day, stored: row.stored_bytes, tip: `${day(row.day)}: ${bytes(row.stored_bytes)} in all` }));
  const last = values[values.length - 1];
  const far = ahead.filter((row) => row.forecast !== null && (row.horizon_days <= 90 || shown.range === "all"));
  const future = far.length ? [{ at: last.at, forecast: last.stored, low: last.stored, high: last.stored }, ...far.map((row) => ({ at: row.forecast_date, forecast: row.forecast, low: row.lower_80, high: row.upper_80, tip: `${day(row.forecast_date)}: ${bytes(row.forecast)}, between ${bytes(row.lower_80)} and ${bytes(row.upper_80)}` }))] : [];
  const y = (field) => ({ field, type: "quantitative", title: null, axis: BYTES_AXIS });
  return chart({
    label: `Stored Parquet, ${rangeName()}: ${bytes(last.stored)}${far.length ? `; forecast ${far.map((row) => `${bytes(row.forecast)} in ${row.horizon_days} days`).join(", ")}` : ""}`,
    caption: "Bytes of all published files; dashed the forecast, around it the interval that is to hold it in 80 of 100 cases.",
    height: 250,
    columns: [["Day", (row) => row.day, "short"], ["Stored", (row) => bytes(row.stored_bytes), "num"], ["Added", (row) => bytes(row.parquet_bytes), "num"], ["Inputs", (row) => bytes(row.source_bytes), "num"], ["Rows", (row) => count(row.row_count), "num"]],
    found,
    spec: {
      layer: layers(
        far.length && { data: { values: future }, mark: { type: "area", color: BLUE, opacity: 0.22 }, encoding: { x: timeAxis(), y: y("low"), y2: { field: "high" } } },
        { data: { values }, mark: { type: "line", color: BLUE, point: values.length < 8 ? { size: 24, color: BLUE } : false }, encoding: { x: far.length ? timeAxis() : dayAxis(found), y: y("stored"), tooltip: { field: "tip" } } },
        far.length && { data: { values: future }, mark: { type: "line", color: BLUE, strokeDash: [5, 4], point: { size: 34, color: BLUE } }, encoding: { x: timeAxis(), y: y("forecast"), tooltip: { field: "tip" } } },
      ),
    },
  });
}
