// Runs in the report's page, after uPlot's script: draws the charts and turns the pages into tabs.
(() => {
  const charts = JSON.parse(document.getElementById("run").textContent);
  const narrow = () => window.innerWidth < 640;

  // ---- tabs: arrow keys, Home and End move; the address keeps the page ----
  const list = document.querySelector(".tabs");
  const tabs = [...list.querySelectorAll("a")];
  const panels = tabs.map((tab) => document.querySelector(tab.getAttribute("href")));
  list.setAttribute("role", "tablist");
  tabs.forEach((tab, i) => {
    const name = tab.hash.slice(1);
    tab.id = `tab-${name}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", name);
    panels[i].setAttribute("role", "tabpanel");
    panels[i].setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      select(i, true);
    });
  });
  list.addEventListener("keydown", (event) => {
    const from = tabs.indexOf(document.activeElement);
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: tabs.length - 1, " ": from }[event.key];
    if (to === undefined || from < 0) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    tabs[next].focus();
    select(next, true);
  });
  function select(chosen, remember) {
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === chosen));
      tab.tabIndex = i === chosen ? 0 : -1;
      panels[i].hidden = i !== chosen;
    });
    if (remember) history.replaceState(null, "", tabs[chosen].hash);
  }
  function selectByAddress() {
    const chosen = tabs.findIndex((tab) => tab.hash === location.hash);
    select(Math.max(0, chosen), false);
    if (chosen >= 0) requestAnimationFrame(() => window.scrollTo(0, 0)); // the browser has scrolled to the panel
  }
  window.addEventListener("hashchange", selectByAddress);
  selectByAddress();

  // ---- charts ----
  const WHOLE = [1, 2, 5].flatMap((x) => Array.from({ length: 8 }, (_, power) => x * 10 ** power)).sort((a, b) => a - b);
  const plain = (value) => {
    const size = Math.abs(value);
    return value !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toFixed(4);
  };
  const formats = { plain, percent: (value) => `${value.toFixed(2)} %`, short: (value) => String(Number(value.toPrecision(4))) };
  const whole = (value) => (value == null ? "\u2013" : value.toLocaleString("en-US"));

  /** The mean of the last points, a fortieth of them, each point with fewer before it. */
  function movingAverage(values, points) {
    const result = [];
    let sum = 0;
    let held = 0;
    values.forEach((value, i) => {
      if (value != null) {
        sum += value;
        held += 1;
      }
      const old = i >= points ? values[i - points] : null;
      if (old != null) {
        sum -= old;
        held -= 1;
      }
      result.push(held > 0 ? sum / held : null);
    });
    return result;
  }

  for (const chart of charts) {
    if (!chart.smooth || chart.x.length < 2) continue;
    const [first] = chart.series;
    const points = Math.max(2, Math.round(chart.x.length / 40));
    const spacing = (chart.x.at(-1) - chart.x[0]) / (chart.x.length - 1);
    const label = `mean of ${whole(Math.round(points * spacing))} steps`;
    chart.series.push({ label, values: movingAverage(first.values, points), color: "--train", width: 2 });
  }

  function yScale(scale) {
    if (scale === "log") return { distr: 3, range: (_, low, high) => (low > 0 ? [low / 1.15, high * 1.15] : [0.01, 1]) };
    if (scale === "linear") return { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : 1] };
    if (scale === "free") {
      return {
        range: (_, low, high) => {
          const margin = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
          return [low - margin, high + margin];
        },
      };
    }
    return {
      range: (_, low, high) => {
        const margin = Math.max(0.25, (high - low) * 0.08);
        return [Math.max(0, low - margin), Math.min(100, high + margin)];
      },
    };
  }

  function draw(element, chart) {
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue(name).trim();
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const axis = {
      font,
      labelFont: font,
      stroke: color("--quiet"),
      grid: { stroke: color("--grid"), width: 1 },
      ticks: { stroke: color("--line"), width: 1, size: 5 },
    };
    const shown = chart.series;
    const log = chart.scale === "log";
    const options = {
      width: Math.max(200, element.clientWidth),
      height: chart.height - (narrow() ? 40 : 0),
      padding: [10, 12, 0, 0],
      cursor: { sync: chart.unit === "epoch" ? { key: "epoch" } : undefined, points: { size: 7 }, drag: { x: true, y: false, setScale: true } },
      scales: {
        // one epoch is a point in the middle
        x: { time: false, range: (_, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
        y: yScale(chart.scale),
      },
      axes: [
        { ...axis, label: chart.unitLabel, labelSize: 22, size: 32, incrs: WHOLE, values: (_, splits) => splits.map(whole) },
        {
          ...axis,
          label: chart.yLabel,
          labelSize: 22,
          size: 52,
          values: (_, splits) =>
            splits.map((value) => (value == null ? "" : log ? String(Number(value.toPrecision(1))) : String(Number(value.toPrecision(6))))),
          ...(log ? { filter: logLabels } : {}),
        },
      ],
      series: [
        { label: chart.unit, value: (_, value) => whole(value) },
        ...shown.map((series) => ({
          label: series.label,
          stroke: color(series.color),
          width: series.width,
          value: (_, value) => (value == null ? "\u2013" : formats[chart.format](value)),
          points: chart.unit === "epoch" && chart.x.length <= 40 ? { show: true, size: 6, fill: color(series.color) } : { show: chart.x.length === 1 },
          spanGaps: true,
        })),
      ],
    };
    const columns = shown.map((series) => (log ? series.values.map((value) => (value > 0 ? value : null)) : series.values));
    element.replaceChildren();
    return new uPlot(options, [chart.x, ...columns], element);
  }

  /** Labels 1, 2 and 5 of each decade, only 1 where that is too dense, or all within a decade. */
  function logLabels(u, splits) {
    const decades = Math.log10(u.scales.y.max / u.scales.y.min);
    const wanted = decades > 4 ? [1] : decades > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
    // the first and last split may lie outside
    const inside = (value) => value >= u.scales.y.min && value <= u.scales.y.max;
    return splits.map((value) => (inside(value) && wanted.includes(Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9))) ? value : null));
  }

  const drawn = new Map();
  for (const element of document.querySelectorAll("[data-chart]")) {
    const chart = charts.find(({ id }) => id === element.dataset.chart);
    if (chart.x.length === 0) {
      element.textContent = "Nothing was recorded.";
      element.className = "hint";
      continue;
    }
    const redraw = () => {
      drawn.get(element)?.destroy();
      drawn.set(element, draw(element, chart));
    };
    const buttons = [...element.closest("section").querySelectorAll("[data-scale]")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        chart.scale = button.dataset.scale;
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        redraw();
      });
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    let width = 0;
    new ResizeObserver(() => {
      if (element.clientWidth === 0 || element.clientWidth === width) return; // the tab is hidden, or only the height changed
      width = element.clientWidth;
      if (drawn.has(element)) drawn.get(element).setSize({ width, height: chart.height - (narrow() ? 40 : 0) });
      else redraw();
    }).observe(element);
  }
})();
