/* The public page: states, times and shares, and nothing that was said. */

const main = document.getElementById("main");
const uptime = rows(DATA.uptime), checks = rows(DATA.checks);
const isStale = () => ageOf(DATA.as_of) > DATA.stale_after_s;

function overall() {
  const state = isStale() ? "unknown" : DATA.state || "unknown";
  const affected = ["down", "degraded", "maintenance"].includes(state) ? checks.filter((row) => row.state === state) : [];
  const text = isStale() ? HEADLINES.stale : headline(DATA.state || "never seen", checks, affected.length < checks.length ? affected.map((row) => row.name) : []);
  document.title = `${SIGNS[state]} ${text}`;
  return h("section", { class: `card verdict ${state}` }, h("h2", {}, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state]), text), isStale() && h("p", {}, `What follows ends on ${moment(DATA.as_of)}.`));
}

function checkSection() {
  const today = Math.floor(ms(DATA.as_of) / 864e5) * 864e5, from = today - 89 * 864e5;
  return h("section", { class: "card", "aria-labelledby": "checks" }, h("h2", { id: "checks" }, "Uptime, 90 days"), checks.length ? h("ol", {}, checks.map((row) => {
    const own = uptime.filter((stretch) => stretch.name === row.name);
    return h("li", { class: "check" }, h("div", { class: "name" }, h("h3", {}, said(row.name)), badge(row.state)), h("p", { class: "num" }, percent(uptimeOf(own))),
      h("div", { class: "line" }, bars(`${row.name}, last 90 days, a day each, oldest first`, stretchesOf(own, "day", from, Math.max(ms(DATA.as_of), from + 1)), tellStretch)));
  })) : h("p", { class: "soft" }, "Nothing has been published yet."), legend());
}

function incidentSection() {
  const found = rows(DATA.incidents).filter((row) => !row.ended_at || ms(row.ended_at) >= ms(DATA.as_of) - 90 * 864e5);
  return h("section", { class: "card", "aria-labelledby": "incidents" }, h("h2", { id: "incidents" }, "Incidents, 90 days"), found.length ? h("ul", { class: "list" }, found.slice(0, 50).map((row) => h("li", {},
    h("strong", {}, said(row.name)), h("span", { class: "num" }, span(row.duration_s)), h("p", {}, when(row.started_at), " – ", row.ended_at ? when(row.ended_at) : "not over yet")))) : h("p", { class: "soft" }, "No incident."),
    found.length > 50 && h("p", { class: "soft" }, `The latest 50 of ${count(found.length)}.`));
}

function maintenanceSection() {
  const found = rows(DATA.maintenance);
  return found.length ? h("section", { class: "card", "aria-labelledby": "maintenance" }, h("h2", { id: "maintenance" }, "Maintenance"), h("ul", { class: "list" }, found.map((row) => h("li", {}, h("strong", {}, said(row.name || "All systems")), badge("maintenance"), h("p", {}, when(row.started_at), " – ", row.ended_at ? when(row.ended_at) : "until further notice"))))) : null;
}

function render() {
  const alarm = isStale() && h("div", { class: "alarm", role: "alert", id: "stale" }, h("strong", {}, `Stale: these figures are ${span(ageOf(DATA.as_of))} old`), "They say nothing of what happened since.");
  main.replaceChildren(...[alarm, overall(), maintenanceSection(), checkSection(), incidentSection()].filter(Boolean));
}
function tellAge() { document.getElementById("as-of").textContent = `As of ${moment(DATA.as_of)} UTC, ${span(ageOf(DATA.as_of))} ago`; }
render();
tellAge();
let wasStale = isStale();
setInterval(() => { if (isStale() !== wasStale) { wasStale = isStale(); render(); } tellAge(); }, 30000);
