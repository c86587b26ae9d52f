/* What every section is made of: cards, tables, and words for their absence. */

const RANGES = [["24h", "24 h", "last 24 hours", 1], ["7d", "7 d", "last 7 days", 7], ["30d", "30 d", "last 30 days", 30], ["90d", "90 d", "last 90 days", 90], ["all", "All", "whole history", Infinity]];
const shown = { range: "90d" };
const rangeName = () => RANGES.find(([key]) => key === shown.range)[2];
const rangeDays = () => RANGES.find(([key]) => key === shown.range)[3];
const AS_OF = DATA.status.as_of;
const rangeStart = () => (rangeDays() === Infinity ? -Infinity : ms(AS_OF) - rangeDays() * DAY * 1000);
/* Days, other than moments, count whole: today and those before it. */
const firstDay = () => (rangeDays() === Infinity ? "" : new Date(Math.floor(ms(AS_OF) / 864e5 - rangeDays() + 1) * 864e5).toISOString().slice(0, 10));
const inRange = (found, cell) => found.filter((row) => (row[cell].length === 10 ? row[cell] >= firstDay() : ms(row[cell]) >= rangeStart()));
/* Answers of days and weeks: days as far as they go back, else weeks. */
const dayOrWeek = (found) => inRange(found.filter((row) => row.grain === (shown.range === "all" ? "week" : "day")), "day");

function section(id, name, note, ...content) {
  return h("section", { class: "card", id, "aria-labelledby": `${id}-name` },
    h("div", { class: "head" }, h("h2", { id: `${id}-name` }, name), note && h("p", {}, note)), content);
}

function none(what) {
  return h("p", { class: "empty" }, what || `Nothing in the ${rangeName()}.`);
}

/* Columns: [heading, row => content, class]. */
function table(name, columns, found, empty) {
  if (!found.length) return none(empty);
  /* The roles hold where a phone shows the rows as blocks. */
  const head = ([heading, , kind]) => h("th", { class: kind, scope: "col", role: "columnheader" }, heading);
  const cell = ([heading, show, kind], row) => h("td", { class: kind, role: "cell", "data-name": heading }, h("div", {}, show(row)));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    h("table", { role: "table" }, h("caption", { class: "unseen" }, name),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(head))),
      h("tbody", { role: "rowgroup" }, found.map((row) => h("tr", { role: "row" }, columns.map((column) => cell(column, row)))))));
}

/* A long text, clipped to three lines; all of it on demand. */
function long(text) {
  if (text === null || text === undefined) return h("span", { class: "soft" }, "–");
  if (text.length <= 160) return said(text);
  return h("details", {}, h("summary", {}, said(`${[...text].slice(0, 120).join("")}…`)), said(text, "p"));
}

function query(row) {
  if (row.query_text) return [h("code", {}, long(row.query_text))];
  return h("code", {}, said(row.query_hash || row.query_key));
}

function mark(kind, text) {
  return h("span", { class: `${kind}-text` }, text);
}

/* How many times slower or faster; from or to no time at all that is no number. */
function change(isSlower, ratio) {
  const times = ratio ? ` ${(isSlower ? ratio : 1 / ratio).toFixed(1)}×` : "";
  return isSlower ? mark("bad", `▲${times} slower`) : mark("good", `▼${times} faster`);
}

function more(inAll, told, what) {
  return inAll > told ? h("p", { class: "soft" }, `${count(told)} of ${count(inAll)} ${what}; all of them stand in the mart.`) : null;
}
