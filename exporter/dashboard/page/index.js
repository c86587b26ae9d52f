/* The page, from the top: what is wrong, how it was, what it costs, what grows. */

const checks = rows(DATA.checks.checks);
const uptime = rows(DATA.uptime.uptime);
const status = DATA.status.status;
const main = document.getElementById("main");

function staleAlarm() {
  const age = ageOf(AS_OF);
  if (age <= status.stale_after_s) return null;
  return h("div", { class: "alarm", role: "alert", id: "stale" }, h("strong", {}, `Stale: these figures are ${span(age)} old`),
    `They end on ${moment(AS_OF)} UTC and say nothing of what happened since. See whether the runs go on: ops-atomic doctor.`);
}

function verdict() {
  const isStale = ageOf(AS_OF) > status.stale_after_s;
  const wrong = checks.filter((row) => row.state !== "up" && row.check_key !== "overall");
  const single = checks.filter((row) => row.check_key !== "overall");
  const open = rows(DATA.incidents.incidents).filter((row) => row.is_open);
  const isSilent = open.some((row) => row.check_key === "monitor");
  const worst = status.state === "down" || !(isSilent || status.stale_sources) ? status.state : "stale";
  const down = [...new Set([...single.filter((row) => row.state === "down"), ...open].map((row) => row.check_key))].filter((key) => key !== "monitor" && key !== "overall").sort();
  const isMissed = rows(DATA.slo.slo).some((row) => row.is_breached && (row.period === "30d" || (row.period === "7d" && row.check_key !== "overall")));
  const text = headline(worst, single.length ? single : checks, worst === "down" ? down.map(title) : [], isMissed);
  const look = isStale || worst === "stale" ? "unknown" : worst === "up" && text !== HEADLINES.up ? "degraded" : worst;
  document.title = `${SIGNS[look]} ${isStale ? "Stale: " : ""}${text} · ${DATA.status.machine}`;
  return h("section", { class: `card verdict ${look}`, id: "now", "aria-labelledby": "verdict" },
    h("h2", { id: "verdict" }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[look]), isStale ? `Last known: ${text}` : text),
    h("p", {}, "Since ", when(status.since), ` UTC, for ${span((ms(AS_OF) - ms(status.since)) / 1000)}.`, status.last_heartbeat_at && [" Last heartbeat ", when(status.last_heartbeat_at), "."]),
    worst !== "up" && status.cause && h("p", { class: "said clip" }, said(status.cause)),
    wrong.length > 0 && h("ul", { class: "wrong" }, [...wrong].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state)).slice(0, 12).map((row) => h("li", {}, h("span", {}, badge(row.state)),
      h("span", {}, h("strong", {}, said(title(row.check_key))), " since ", when(row.since), `, for ${span((ms(AS_OF) - ms(row.since)) / 1000)}`),
      row.message && h("p", { class: "said clip" }, said(row.message))))),
    windows(), looks());
}

/* What else deserves a look, and where it is told. */
function looks() {
  const open = rows(DATA.advice.advice).filter((row) => row.is_open).length;
  const found = [
    [status.breached_targets, "missed target", "targets"], [status.stale_sources, "source too old", "data", "sources too old"],
    [status.regressed_queries, "slower query", "queries", "slower queries"], [open, "index advised", "advice", "indexes advised"],
    [status.last_run_status && status.last_run_status !== "ok" ? 1 : 0, "run that did not go well", "data"],
  ].filter(([number]) => number > 0);
  if (!found.length) return null;
  return h("p", { class: "looks" }, "Worth a look: ", found.map(([number, one, where, several], i) => [i ? ", " : "", h("a", { href: `#${where}`, on: { click: (event) => { event.preventDefault(); const to = document.getElementById(where); to.scrollIntoView(); to.tabIndex = -1; to.focus({ preventScroll: true }); } } }, `${count(number)} ${number === 1 ? one : several || `${one}s`}`)]), ".");
}

function windows() {
  const found = rows(DATA.status.maintenance);
  if (!found.length) return null;
  return h("ul", { class: "wrong" }, found.map((row) => h("li", {}, h("span", {}, badge("maintenance")), h("span", {}, h("strong", {}, said(title(row.check_key))), " ", when(row.started_at), " to ", row.ended_at ? when(row.ended_at) : "further notice"), row.reason && h("p", { class: "said" }, said(row.reason)))));
}

function tiles() {
  const slo = rows(DATA.slo.slo);
  const month = slo.find((row) => row.check_key === "overall" && row.period === "30d") || slo.find((row) => row.period === "30d");
  const days = rows(DATA.queries.days), lastDay = days[days.length - 1];
  const beats = rows(DATA.heartbeats.heartbeats).filter((row) => row.grain === "hour"), beat = beats[beats.length - 1];
  /* Days first, then weeks: of an old root there are weeks only. */
  const stored = rows(DATA.storage.days), size = stored.filter((row) => row.grain === "day").at(-1) || stored.at(-1);
  const counted = checks.filter((row) => row.check_key !== "overall");
  const tile = (name, value, note, isBad) => h("div", { class: `card${isBad ? " bad" : ""}` }, h("dt", {}, name), h("dd", {}, h("b", {}, isBad ? `!\u00a0${value}` : value), h("small", {}, note)));
  const seen = month && month.uptime_observed !== null;
  const left = month && month.error_budget_s ? month.budget_left_s / month.error_budget_s : null;
  const burn = month && month.burn_rate_1h;
  return h("dl", { class: "tiles" },
    tile("Checks up", `${counted.filter((row) => row.state === "up").length} of ${counted.length}`, `${status.checks_degraded} degraded, ${status.checks_down} down, ${status.checks_unknown} unknown`, status.checks_down > 0),
    tile("Open incidents", count(status.open_incidents), `${count(incidentCounts("all").incidents)} ever`, status.open_incidents > 0),
    tile("Uptime, 30 days", month ? percent(month.uptime_observed) : "–", month && month.target ? `target ${percent(month.target)}` : "no target set", month && month.is_breached),
    tile("Budget, 30 days", left === null ? "–" : left < 0 ? "used\u00a0up" : percent(left, 0), month && left !== null ? `${budget(month.budget_left_s, month.error_budget_s)}; burn ${burn === null ? "–" : `${burn.toFixed(1)}×`} in 1 h` : !month || month.target === null ? "no target set" : seen ? "none at a target of 100%" : "nothing observed", left !== null && left < 0),
    tile("Heartbeat takes", beat ? millis(beat.duration_ms) : "–", beat ? `usual ${millis(beat.expected_ms)}` : "no heartbeat", beat && beat.is_anomaly),
    tile("Query p95", lastDay ? millis(lastDay.p95_ms) : "–", lastDay ? `on ${day(lastDay.day)}` : "no queries"),
    tile("Sources too old", count(status.stale_sources), `of ${count(rows(DATA.freshness.sources).length)} expected`, status.stale_sources > 0),
    tile("Stored", size ? bytes(size.stored_bytes) : "–", size ? `${bytes(size.parquet_bytes)} ${size.grain === "day" ? "on" : "in the week from"} ${day(size.day)}` : "nothing"));
}

function checkSection() {
  const long = uptime.some((row) => row.grain === "month") ? "month" : "week";
  const grain = { "24h": "hour", "7d": "six_hours", "30d": "day", "90d": "day", all: long }[shown.range];
  const words = { hour: "an hour", six_hours: "six hours", day: "a day", week: "a week", month: "a month" }[grain];
  const found = uptime.filter((row) => row.grain === grain);
  const starts = found.map((row) => ms(row.started_at));
  const today = Math.floor(ms(AS_OF) / 864e5) * 864e5;
  const from = { day: today - (rangeDays() - 1) * 864e5, hour: Math.floor(ms(AS_OF) / 36e5) * 36e5 - 23 * 36e5 }[grain] ?? Math.min(...starts);
  const keys = [...new Set([...checks.map((row) => row.check_key), ...found.filter((row) => ms(row.started_at) >= from).map((row) => row.check_key)])];
  if (!keys.length) return section("checks", "Checks", null, none());
  const current = new Map(checks.map((row) => [row.check_key, row]));
  const list = keys.slice(0, 60).map((key) => {
    const own = found.filter((row) => row.check_key === key && ms(row.started_at) >= from);
    const share = uptimeOf(own);
    const row = current.get(key);
    const stretches = stretchesOf(own, grain, from, Math.max(ms(AS_OF), from + 1));
    return h("li", { class: "check" },
      h("div", { class: "name" }, h("h3", { title: title(key) }, said(title(key))), row ? badge(row.state) : h("span", { class: "soft" }, "no more")),
      h("div", { class: "line" }, bars(`${title(key)}, ${rangeName()}, ${words} each, oldest first`, stretches, tellStretch)),
      h("p", { class: "share" }, percent(share), h("small", {}, share === null ? "not seen" : "observed")));
  });
  return section("checks", "Checks", `${rangeName()}, a bar for ${words}. Hover, or Tab and arrow keys, for the minutes.`,
    h("ol", {}, list), h("div", { class: "strip-ends", "aria-hidden": "true" }, h("span", {}, moment(new Date(from).toISOString())), h("span", {}, moment(AS_OF))),
    keys.length > 60 && h("p", { class: "soft" }, `${keys.length - 60} more checks stand in api/checks.json.`), legend());
}

/* Of all incidents: only the first of them are told here. */
const incidentCounts = (period) => rows(DATA.incidents.periods).find((row) => row.period === period);

function incidentSection() {
  const all = rows(DATA.incidents.incidents).filter((row) => !row.is_short_gap);
  const found = all.filter((row) => row.is_open || !row.ended_at || ms(row.ended_at) >= rangeStart());
  const { incidents, short_gaps: gaps } = incidentCounts(shown.range);
  const columns = [
    ["Check", (row) => [h("strong", {}, said(title(row.check_key)))], "short"],
    ["Began", (row) => when(row.started_at), "short"],
    ["Ended", (row) => (row.is_open ? badge("down") : when(row.ended_at)), "short"],
    ["For", (row) => span(row.duration_s), "num"],
    ["Cause", (row) => long(row.cause), "wide"],
  ];
  const first = Math.max(10, found.filter((row) => row.is_open).length);
  const others = found.slice(first, 100);
  return section("incidents", "Incidents", `${count(incidents)} in the ${rangeName()}`, table("Incidents", columns, found.slice(0, first), `No incident in the ${rangeName()}.`),
    gaps > 0 && h("p", { class: "soft" }, `And ${count(gaps)} ${gaps === 1 ? "gap" : "gaps"} of under a minute between heartbeats.`),
    others.length > 0 && h("details", {}, h("summary", {}, `Show ${count(others.length)} more`), table("More incidents", columns, others)),
    found.length > 100 && h("p", { class: "soft" }, `The latest 100 of ${count(incidents)}; the others stand in api/incidents.json.`), more(incidentCounts("all").incidents, all.length, "incidents are told here"));
}

function sloSection() {
  const period = { "24h": "7d", "7d": "7d", "30d": "30d", "90d": "90d", all: "90d" }[shown.range];
  const found = rows(DATA.slo.slo).filter((row) => row.period === period && row.target !== null);
  const burn = (rate) => (rate === null ? "–" : rate > 1 ? mark("bad", `! ${rate.toFixed(1)}×`) : `${rate.toFixed(1)}×`);
  return section("targets", "Targets and error budgets", `over ${period.replace("d", " days")}; a burn of 1× uses the budget up just at the end`, table("Targets and error budgets", [
    ["Check", (row) => h("strong", {}, said(title(row.check_key))), "short"],
    ["Target", (row) => percent(row.target), "num"],
    ["Uptime", (row) => percent(row.uptime_observed, 3), "num"],
    ["Kept", (row) => (row.is_breached === null ? "not seen" : row.is_breached ? mark("bad", "✕ missed") : mark("good", "✓ kept")), "short"],
    ["Budget left", (row) => [h("meter", { min: 0, max: 1, low: 0.25, value: Math.max(0, row.error_budget_s ? row.budget_left_s / row.error_budget_s : 0), "aria-label": `Budget left of ${title(row.check_key)}` }), ` ${row.error_budget_s ? budget(row.budget_left_s, row.error_budget_s) : "–"}`], "short"],
    ["Burn 1 h", (row) => burn(row.burn_rate_1h), "num"],
    ["Burn 6 h", (row) => burn(row.burn_rate_6h), "num"],
    ["Seen", (row) => percent(row.coverage, 1), "num"],
  ], found, "No target is set, or nothing was observed."));
}

function heartbeatSection() {
  const found = inRange(rows(DATA.heartbeats.anomalies), "observed_at");
  return section("heartbeats", "Heartbeat duration and anomalies", rangeName(), heartbeatChart(), table("Anomalies", [
    ["When", (row) => (row.grain === "day" ? day(row.observed_at) : when(row.observed_at)), "short"],
    ["What", (row) => said(`${row.metric.replaceAll("_", " ").replace(/ ms$/, "")}${row.series === "all" ? "" : `, ${row.series}`}`), "short"],
    ["Observed", (row) => (row.metric.endsWith("_ms") ? millis(row.value) : count(row.value)), "num"],
    ["Usual", (row) => (row.metric.endsWith("_ms") ? millis(row.expected) : count(row.expected)), "num"],
    ["Robust z", (row) => (row.robust_z === null ? "–" : row.robust_z.toFixed(1)), "num"],
  ], found.slice(0, 8), `No anomaly in the ${rangeName()}.`), found.length > 8 && h("p", { class: "soft" }, `The latest 8 of ${count(found.length)}; the others stand in api/heartbeats.json.`));
}

function querySection() {
  const all = rows(DATA.queries.queries);
  const found = all.filter((row) => row.period === shown.range);
  const tables = rows(DATA.queries.tables).filter((row) => row.period === shown.range);
  const texts = new Map(all.map((row) => [row.query_hash, row.query_text]));
  const slowest = [...found].sort((a, b) => b.p95_ms - a.p95_ms).slice(0, 10);
  const judged = rows(DATA.regressions.regressions).filter((row) => ["regressed", "improved"].includes(row.verdict));
  return section("queries", "Queries", rangeName(),
    h("div", { class: "two" }, h("div", {}, h("h3", {}, "p95 trend"), queryChart()), h("div", {}, h("h3", {}, "Time by table"), tableChart(tables))),
    h("h3", {}, "Slowest by p95"), table("Slowest queries", [
      ["Query", query, "wide"], ["p95", (row) => millis(row.p95_ms), "num"], ["Mean", (row) => millis(row.mean_ms), "num"], ["Longest", (row) => millis(row.max_ms), "num"], ["Runs", (row) => count(row.executions), "num"], ["Share of time", (row) => percent(row.share_of_total, 1), "num"], ["Read per row", (row) => count(row.examined_per_returned), "num"],
    ], slowest, `No query in the ${rangeName()}.`),
    h("h3", {}, "p95 of the costliest"), trendChart(texts),
    h("h3", {}, "Slower or faster than in the weeks before"), table("Regressions", [
      ["Query or pattern", (row) => h("code", {}, long(texts.get(row.query_key) || row.query_key)), "wide"], ["Before", (row) => millis(row.p95_before_ms), "num"], ["After", (row) => millis(row.p95_after_ms), "num"], ["Verdict", (row) => change(row.verdict === "regressed", row.ratio), "short"], ["Runs before", (row) => count(row.executions_before), "num"], ["Runs after", (row) => count(row.executions_after), "num"],
    ], judged.slice(0, 20), "Nothing got clearly slower or faster."));
}

function adviceSection() {
  const found = rows(DATA.advice.advice);
  return section("advice", "Index advice", `${count(found.filter((row) => row.is_open).length)} open`, table("Index advice", [
    ["Index", (row) => h("code", {}, said(row.recommended_index ?? "–")), "wide"], ["Table", (row) => said(row.table_name)], ["For", (row) => (row.query_pattern === null ? "–" : h("code", {}, long(row.query_pattern))), "wide"],
    ["Since", (row) => day(row.first_seen), "short"], ["State", (row) => (row.is_open ? mark("warn", "! open") : `closed ${day(row.closed_at)}`), "short"],
    ["p95 before", (row) => millis(row.p95_before_ms), "num"], ["p95 after", (row) => millis(row.p95_after_ms), "num"],
    ["Effect", (row) => (row.effect_ratio === null ? (row.is_open ? "not done yet" : "not known") : row.effect_ratio === 1 ? "none" : change(row.effect_ratio > 1, row.effect_ratio)), "short"],
  ], found.slice(0, 20), "No index was ever advised."), found.length > 20 && h("p", { class: "soft" }, `The first 20 of ${count(found.length)}; the others stand in api/advice.json.`));
}

function dataSection() {
  const rejects = rows(DATA.quality.rejects).filter((row) => row.period === shown.range);
  const drift = inRange(rows(DATA.quality.drift), "last_day");
  const fresh = { fresh: () => mark("good", "✓ fresh"), stale: () => mark("bad", "✕ too old"), "never seen": () => h("span", { class: "soft" }, "never seen") };
  const runs = rows(DATA.freshness.runs);
  const went = { ok: () => mark("good", "✓ ok"), partial: () => mark("warn", "! partial"), failed: () => mark("bad", "✕ failed") };
  return section("data", "Data: freshness, rejects, drift, runs", rangeName(),
    h("div", { class: "two" },
      h("div", {}, h("h3", {}, "Freshness"), table("Freshness", [["Source", (row) => said(row.source.replaceAll("_", " ")), "short"], ["State", (row) => (fresh[row.status] || (() => row.status))(), "short"], ["Last record", (row) => (row.last_record_at ? `${span(row.age_s)} ago` : "never"), "num"], ["May be", (row) => span(row.allowed_age_s), "num"]], rows(DATA.freshness.sources), "No source is expected."),
        h("h3", {}, "Drift"), table("Drift", [["Source", (row) => said(row.source)], ["What", (row) => [row.kind === "added" ? "+ new " : "− missing ", h("code", {}, said(row.name))], "wide"], ["Since", (row) => day(row.first_day), "short"], ["Last", (row) => day(row.last_day), "short"]], drift.slice(0, 12), `No column or key came or went in the ${rangeName()}.`)),
      h("div", {}, h("h3", {}, "Rejects"), rejectChart(), table("Rejects", [["Dataset", (row) => said(row.dataset)], ["Reason", (row) => long(row.reason), "wide"], ["Records", (row) => count(row.records), "num"], ["Last", (row) => day(row.last_day), "short"]], rejects.slice(0, 8), `Nothing was rejected in the ${rangeName()}.`),
        h("h3", {}, "Runs"), rows(DATA.freshness.run_periods).map((row) => h("p", { class: "soft" }, `${row.period.replace("d", " days")}: ${count(row.successful_runs)} of ${count(row.runs)} went well`)), table("Runs", [["Began", (row) => when(row.started_at), "short"], ["Went", (row) => (went[row.status] || (() => row.status))(), "short"], ["Took", (row) => span(row.duration_s), "num"], ["Files", (row) => count(row.exported_files), "num"], ["Error", (row) => long(row.first_error), "wide"]], runs.slice(0, 8), "None is published yet: a run comes with the next one that writes something. ops-atomic status knows it already."))));
}

function storageSection() {
  const ahead = rows(DATA.forecast.forecast);
  const stored = ahead.filter((row) => row.metric === "stored_bytes" && row.series === "all");
  const value = (row, cell) => (row.metric === "stored_bytes" ? bytes(cell) : row.metric.endsWith("_ms") ? millis(cell) : count(cell));
  const names = { stored_bytes: "Stored", rows: "Rows a day", query_total_ms: "Query time a day", query_p95_ms: "Query p95" };
  const found = ahead.filter((row) => row.series === "all" && row.forecast !== null);
  return section("storage", "Storage and forecast", rangeName(),
    h("div", { class: "two" }, h("div", {}, h("h3", {}, "Stored"), storageChart(stored)),
      h("div", {}, h("h3", {}, "By dataset, whole history"), table("Storage by dataset", [["Dataset", (row) => said(row.dataset)], ["Rows", (row) => count(row.row_count), "num"], ["Inputs", (row) => bytes(row.source_bytes), "num"], ["Parquet", (row) => bytes(row.parquet_bytes), "num"], ["Saved", (row) => percent(row.reduction, 0), "num"]], rows(DATA.storage.datasets), "Nothing is stored yet."))),
    h("h3", {}, "Forecast"), table("Forecast", [["What", (row) => names[row.metric] || row.metric, "short"], ["In", (row) => `${row.horizon_days} days`, "num"], ["Forecast", (row) => value(row, row.forecast), "num"], ["80 % interval", (row) => `${value(row, row.lower_80)} – ${value(row, row.upper_80)}`, "num"], ["From", (row) => `${count(row.days_of_history)} days`, "num"], ["Held so far", (row) => (row.inside_share === null ? "not tried yet" : `${percent(row.inside_share, 0)} of ${count(row.forecasts_checked)}`), "num"]], found, "Too few days to forecast anything."));
}

function fresh() {
  document.title = `No data yet · ${DATA.status.machine}`;
  return [h("section", { class: "card verdict unknown", id: "now" }, h("h2", {}, HEADLINES["never seen"]), h("p", {}, "Nothing has been published yet: the page fills with the first run that publishes heartbeats, ops-atomic export."))];
}

function render() {
  forgetCharts();
  hush();
  const parts = [checkSection, incidentSection, sloSection, heartbeatSection, querySection, adviceSection, dataSection, storageSection];
  const isEmpty = status.state === null && !DATA.storage.days?.rows;
  main.replaceChildren(...[staleAlarm(), ...(isEmpty ? fresh() : [status.state === null ? fresh() : verdict(), tiles(), ...parts.map((make) => make())]).flat()].filter(Boolean));
  const age = ageOf(AS_OF);
  document.getElementById("as-of").replaceChildren("As of ", when(AS_OF), ` UTC, ${span(age)} ago`);
}

function ranges() {
  const asked = new URLSearchParams(location.hash.slice(1)).get("range");
  if (RANGES.some(([key]) => key === asked)) shown.range = asked;
  const choose = (key) => {
    shown.range = key;
    history.replaceState(null, "", `#range=${key}`);
    const top = window.scrollY;
    render();
    window.scrollTo(0, top);
    document.getElementById("said").textContent = `Showing the ${rangeName()}`;
  };
  document.getElementById("ranges").append(...RANGES.map(([key, name, full]) => h("label", {}, h("input", { type: "radio", name: "range", value: key, checked: key === shown.range, "aria-label": full, on: { change: () => choose(key) } }), h("span", { "aria-hidden": "true" }, name))));
}

document.getElementById("machine").textContent = DATA.status.machine;
document.getElementById("foot").textContent = `All times are UTC. Written ${moment(DATA.status.generated_at)} by ops-atomic from its marts; the same figures lie in api/*.json.`;
ranges();
render();
/* The page grows old while it is open. */
let wasStale = ageOf(AS_OF) > status.stale_after_s;
setInterval(() => {
  const isStale = ageOf(AS_OF) > status.stale_after_s;
  if (isStale !== wasStale) { wasStale = isStale; render(); }
  document.getElementById("as-of").replaceChildren("As of ", when(AS_OF), ` UTC, ${span(ageOf(AS_OF))} ago`);
}, 30000);
