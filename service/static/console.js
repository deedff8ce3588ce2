// The pages work without this file; it draws the pictures beside their tables, shows what terms mean, and marks where a file may be dropped.
"use strict";

function drawn(place) {
  place.hidden = false;
  const told = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  place.style.height = `${Math.max(260, 22 * (told.rows ?? told.names).length + 130)}px`;
  const chart = echarts.init(place, null, { renderer: "canvas" });
  chart.setOption(place.dataset.kind === "heat" ? heat(told) : bars(told));
  if (place.dataset.kind === "heat") {
    chart.on("click", (event) => {
      const place = new URL(told.address, location.href);
      place.searchParams.set("row", told.rows[event.value[1]].name);
      place.searchParams.set("need", told.columns[event.value[0]]);
      location.href = place;
    });
  }
  new ResizeObserver(() => chart.resize()).observe(place);
}

function heat(told) {
  const cells = told.rows.flatMap((row, y) => row.counts.map((count, x) => [x, y, count]));
  const most = Math.max(1, ...cells.map((cell) => cell[2]));
  return {
    aria: { enabled: true, label: { description: told.description } },
    animation: false,
    tooltip: { formatter: (one) => `${told.rows[one.value[1]].name} × ${told.columns[one.value[0]]}：${one.value[2]}` },
    grid: { left: 8, right: 8, top: 8, bottom: 60, containLabel: true },
    xAxis: { type: "category", data: told.columns, axisLabel: { interval: 0, rotate: 40, width: 90, overflow: "truncate" } },
    yAxis: { type: "category", data: told.rows.map((row) => row.name), inverse: true, axisLabel: { width: 140, overflow: "truncate" } },
    visualMap: { min: 0, max: most, orient: "horizontal", left: "center", bottom: 0, inRange: { color: ["#fff7f5", "#f0a592", "#c2410c"] } },
    series: [{ type: "heatmap", data: cells, label: { show: cells.length <= 400, color: "#1f2937" }, itemStyle: { borderColor: "#fff", borderWidth: 1 } }],
  };
}

function bars(told) {
  return {
    aria: { enabled: true, label: { description: told.description }, decal: { show: true } },
    animation: false,
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
    legend: { bottom: 0 },
    grid: { left: 8, right: 24, top: 8, bottom: 36, containLabel: true },
    xAxis: { type: "value" },
    yAxis: { type: "category", inverse: true, data: told.names, axisLabel: { width: 160, overflow: "truncate" } },
    color: ["#1d4e89", "#c2410c", "#6b7280"],
    series: told.series.map((one) => ({ name: one.name, type: "bar", stack: "all", data: one.values })),
  };
}

function ready(root) {
  for (const place of root.querySelectorAll("[data-chart]")) {
    if (window.echarts) drawn(place);
  }
  // A form that needs nobody: what a job made is taken, and its page opened as any other.
  for (const form of root.querySelectorAll("form[data-send]")) form.requestSubmit();
  for (const term of root.querySelectorAll("[data-bs-toggle=tooltip]")) bootstrap.Tooltip.getOrCreateInstance(term);
  for (const drop of root.querySelectorAll(".drop")) {
    for (const event of ["dragenter", "dragover"]) drop.addEventListener(event, () => drop.classList.add("over"));
    for (const event of ["dragleave", "drop"]) drop.addEventListener(event, () => drop.classList.remove("over"));
    const field = drop.querySelector("input[type=file]");
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => {
      if (event.target === field) return;
      event.preventDefault();
      field.files = event.dataTransfer.files;
    });
  }
}

// What could not be fetched is said where it would have stood, with the words of the service where there are any.
function failed(event) {
  const place = event.detail.target && event.detail.target.querySelector("[data-trouble]");
  if (!place) return;
  place.hidden = false;
  try {
    const told = JSON.parse(event.detail.xhr.responseText).detail;
    if (told) place.querySelector("span").textContent = told;
  } catch { /* No problem document came: the words of the page stand. */ }
}
for (const name of ["htmx:responseError", "htmx:sendError"]) document.addEventListener(name, failed);

// Plans: what a slider stands at, which fields a kind of plan has, a course dragged in or out (the buttons beside it do the same), a form sent once.
function labelled(slider) { document.getElementById(slider.dataset.shown).textContent = slider.value; }

// A line of the page that says, to those who listen too, that something is worked out.
function busy(button, now) {
  const words = button.dataset.busy && document.querySelector(`#${button.dataset.busy} span`);
  if (words) words.hidden = !now;
}

function planned(root) {
  for (const slider of root.querySelectorAll("[data-shown]")) {
    slider.addEventListener("input", () => labelled(slider));
    labelled(slider);
  }
  for (const form of root.querySelectorAll("[data-kinds]")) {
    const kind = form.querySelector("#kind");
    const show = () => {
      for (const part of form.querySelectorAll("[data-only]")) part.hidden = (part.dataset.only === "menu") !== (kind.value === "menu");
    };
    kind.addEventListener("change", show);
    show();
  }
  for (const row of root.querySelectorAll("[data-drag]")) {
    row.addEventListener("dragstart", (event) => event.dataTransfer.setData(`text/${row.dataset.drag}`, row.dataset.form));
  }
  for (const place of root.querySelectorAll("[data-drop]")) {
    const kind = `text/${place.dataset.drop}`;
    place.hidden = false;
    place.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes(kind)) { event.preventDefault(); place.classList.add("over"); }
    });
    place.addEventListener("dragleave", () => place.classList.remove("over"));
    place.addEventListener("drop", (event) => {
      const form = document.getElementById(event.dataTransfer.getData(kind));
      if (form) { event.preventDefault(); form.requestSubmit(); }
    });
  }
  for (const button of root.querySelectorAll("[data-once]")) {
    button.form.addEventListener("submit", () => setTimeout(() => { button.disabled = true; busy(button, true); }, 0));
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const prepare of [ready, planned]) {
    prepare(document);
    document.body.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) prepare(event.detail.elt); });
  }
  for (const one of document.querySelectorAll("[data-print]")) one.addEventListener("click", () => window.print());
});
// A page that is come back to is as it was before anything was sent.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-once]")) { button.disabled = false; busy(button, false); }
  for (const slider of document.querySelectorAll("[data-shown]")) labelled(slider);
});
