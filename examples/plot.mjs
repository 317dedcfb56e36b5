// How the examples draw: panels of vega-lite, put together and written as an SVG file. Colours differ for every kind of sight
// (Okabe and Ito 2008).
import { writeFileSync } from "node:fs";
import { contours } from "d3-contour";
import { encode } from "fast-png";
import * as vega from "vega";
import { compile } from "vega-lite";

export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const INK = "#1f2430";
const GREY = "#6b7280";

const CONFIG = {
  font: "Helvetica, Arial, sans-serif",
  background: "white",
  padding: 16,
  axis: { labelColor: INK, titleColor: INK, titleFontWeight: "normal", titlePadding: 8, gridColor: "#eceef1", domainColor: GREY, tickColor: GREY },
  legend: { labelColor: INK, labelFontSize: 12, labelLimit: 320, title: null, symbolStrokeWidth: 2.5, symbolOpacity: 1 },
  title: { anchor: "start", color: INK, fontSize: 13, fontWeight: "normal", offset: 10, frame: "group" },
  view: { stroke: "#d5d9de" },
};

/** Writes panels, so many in a row, as an SVG file. */
export async function savePlot(path, { title, subtitle = [], columns = 2, rowSpacing = 100, panels }) {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: title, subtitle, fontSize: 16, fontWeight: "bold", subtitleFontSize: 12, subtitleColor: "#4b5563", subtitlePadding: 6, offset: 18 },
    ...{ concat: panels, columns, spacing: { row: rowSpacing, column: 84 }, bounds: "flush" },
    resolve: { scale: { color: "independent" } },
    config: CONFIG,
  };
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: "none" });
  writeFileSync(path, await view.toSVG());
}

function colour(names, legend) {
  const shown = legend && names.length > 1 ? { orient: "bottom", columns: legend === true ? 4 : legend } : null;
  return { field: "series", type: "nominal", scale: { domain: names, range: names.map((_, i) => COLOURS[i % COLOURS.length]) }, legend: shown };
}

/** The names of the series in points, in their order. */
function seriesOf(points) {
  return [...new Set(points.map(({ series }) => series))];
}

/**
 * Lines over x. `points`: { series, x, y, kind }, where a series may have lines of several kinds: "line" (by default), "faint", "dashed", or "dot"
 * for points without a line. `rules`: { x or y, label }. `scaleX`, `scaleY`: "linear" by default, or "log".
 */
export function linePanel({
  title,
  x,
  y,
  points,
  rules = [],
  scaleX = "linear",
  scaleY = "linear",
  domainX,
  domainY,
  width = 380,
  height = 240,
  legend = true,
  series = seriesOf(points),
  format,
}) {
  const axis = (name, type, domain) => ({
    field: name,
    type: "quantitative",
    scale: { type, nice: !domain, ...(type === "linear" && { zero: false }), ...(domain && { domain }) },
  });
  const position = {
    x: { ...axis("x", scaleX, domainX), title: x },
    y: { ...axis("y", scaleY, domainY), title: y, axis: { format: format ?? (scaleY === "log" ? "~g" : "~f"), tickCount: 6 } },
  };
  const encoding = { ...position, color: colour(series, legend) };
  const drawn = { line: { strokeWidth: 2 }, faint: { strokeWidth: 1, opacity: 0.3 }, dashed: { strokeWidth: 2, strokeDash: [5, 4] } };
  // 0 has no place on a logarithmic axis, and coordinates far outside of the panel none in an SVG
  const highest = domainY ? (scaleY === "log" ? domainY[1] ** 2 / domainY[0] : 2 * domainY[1] - domainY[0]) : Number.POSITIVE_INFINITY;
  const shown = points.filter((point) => scaleY !== "log" || point.y > 0).map((point) => ({ ...point, y: Math.min(point.y, highest) }));
  const of = (kind) => shown.filter((point) => (point.kind ?? "line") === kind);
  const layers = Object.entries(drawn).flatMap(([kind, mark]) => {
    const values = of(kind);
    return values.length === 0 ? [] : [{ data: { values }, mark: { type: "line", clip: true, ...mark }, encoding: { ...encoding, order: { field: "x" } } }];
  });
  const dots = of("dot");
  if (dots.length > 0) layers.push({ data: { values: dots }, mark: { type: "point", filled: true, size: 60, opacity: 1, clip: true }, encoding });
  const xs = shown.map((point) => point.x);
  const [left, right] = domainX ?? [Math.min(...xs), Math.max(...xs)];
  const beside = (at) => (at < (left + right) / 2 ? { align: "left", dx: 4 } : { align: "right", dx: -4 });
  for (const { label, ...at } of rules) {
    const [name] = Object.keys(at);
    const values = [{ ...at, label }];
    const place = name === "x" ? { x: position.x, y: { value: 12 } } : { y: position.y, x: { value: "width" } };
    const text = name === "x" ? beside(at.x) : { align: "right", dx: -4, dy: -7 };
    layers.push(
      { data: { values }, mark: { type: "rule", strokeDash: [3, 3], color: GREY }, encoding: { [name]: position[name] } },
      { data: { values }, mark: { type: "text", color: "#4b5563", fontSize: 11, ...text }, encoding: { ...place, text: { field: "label" } } },
    );
  }
  return { title, width, height, layer: layers };
}

const GRID = 120; // places along each axis at which a height is taken

/** The heights of f, which is given lists of x and of y, over a rectangle, with contour lines at `levels`: what contourPanel() draws on. */
export function surface({ f, x, y, levels }) {
  const place = (i, [low, high]) => low + (i / GRID) * (high - low);
  const cells = Array.from({ length: GRID * GRID }, (_, i) => [place((i % GRID) + 0.5, x), place(Math.floor(i / GRID) + 0.5, y)]);
  const heights = Array.from(f(...[0, 1].map((axis) => cells.map((cell) => cell[axis]))));
  const rings = contours()
    .size([GRID, GRID])
    .thresholds(levels)(heights)
    .flatMap(({ coordinates }) => coordinates.flat());
  const within = (i) => i > 0.5 && i < GRID - 0.5;
  const lines = rings.flatMap((ring, id) =>
    // where a ring follows the edge of the panel there is no contour
    ring.map(([i, j], order) => ({ id: String(id), order, x: within(i) && within(j) ? place(i, x) : null, y: place(j, y) })),
  );
  return { x, y, lines, url: shading(heights, levels) };
}

/**
 * Paths over a surface. `paths`: { series, points: [[x, y], ...] }, drawn within the panel, with a dot where they end. `marks`: { x, y, label }.
 */
export function contourPanel({ title, ground, paths, marks = [], width = 260, height = 240, legend = true, titles = [null, null] }) {
  const axis = (name, domain, text) => ({
    ...{ field: name, type: "quantitative", title: text },
    scale: { domain, nice: false, zero: false },
    axis: { grid: false, tickCount: 5 },
  });
  const encoding = { x: axis("x", ground.x, titles[0]), y: axis("y", ground.y, titles[1]) };
  const middle = { x: { value: width / 2 }, y: { value: height / 2 } };
  const ordered = { ...encoding, order: { field: "order" } };
  const color = colour(seriesOf(paths), legend);
  const values = paths.flatMap(({ series, points }) => points.map(([px, py], order) => ({ series, order, x: px, y: py })));
  const ends = paths.map(({ series, points }) => ({ series, x: points.at(-1)[0], y: points.at(-1)[1] }));
  const dot = { type: "point", filled: true, opacity: 1, clip: true };
  const layers = [
    {
      data: { values: [{ url: ground.url }] },
      mark: { type: "image", width, height, aspect: false },
      encoding: { ...middle, url: { field: "url" } },
    },
    {
      data: { values: ground.lines },
      mark: { type: "line", strokeWidth: 0.7, color: "#7d8aa0", clip: true },
      encoding: { ...ordered, detail: { field: "id" } },
    },
    { data: { values }, mark: { type: "line", strokeWidth: 1.8, clip: true }, encoding: { ...ordered, color } },
    { data: { values: ends }, mark: { ...dot, size: 45 }, encoding: { ...encoding, color } },
  ];
  if (marks.length > 0) {
    layers.push(
      { data: { values: marks }, mark: { ...dot, shape: "cross", size: 70, color: INK }, encoding },
      {
        data: { values: marks },
        mark: { type: "text", align: "left", dx: 7, dy: -7, fontSize: 11, color: INK },
        encoding: { ...encoding, text: { field: "label" } },
      },
    );
  }
  return { title, width, height, layer: layers };
}

const [LOW, HIGH] = [
  [255, 255, 255],
  [158, 170, 190],
];

/** Heights in rows from below as the address of an image: white below the first level, darker from each level to the next. */
function shading(heights, levels) {
  const data = new Uint8Array(3 * GRID * GRID);
  for (const [i, height] of heights.entries()) {
    const below = levels.filter((level) => level <= height).length;
    const next = below > 0 && below < levels.length ? (height - levels[below - 1]) / (levels[below] - levels[below - 1]) : 0;
    const share = Math.max(0, below - 1 + next) / (levels.length - 1);
    const at = 3 * ((GRID - 1 - Math.floor(i / GRID)) * GRID + (i % GRID));
    for (const channel of [0, 1, 2]) data[at + channel] = LOW[channel] + share * (HIGH[channel] - LOW[channel]);
  }
  return `data:image/png;base64,${Buffer.from(encode({ width: GRID, height: GRID, data, channels: 3, depth: 8 })).toString("base64")}`;
}

/** A table of numbers as colours. `cells`: { x, y, value }, white without a value; `order`: of rows and columns. */
function heatPanel({ title, x, y, cells, order, width = 240, height = 240 }) {
  const place = {
    x: { field: "x", type: "ordinal", sort: order, title: x, axis: { labelAngle: order.some((name) => name.length > 2) ? -45 : 0 } },
    y: { field: "y", type: "ordinal", sort: order, title: y },
  };
  const shade = { field: "value", type: "quantitative", scale: { range: ["#d6e8f5", COLOURS[0]] }, legend: null };
  const text = { text: { field: "value", type: "quantitative" } };
  const values = cells.filter(({ value }) => value !== null);
  return {
    ...{ title, width, height, data: { values: cells } },
    layer: [
      { mark: { type: "rect", color: "white" }, encoding: place },
      { data: { values }, mark: "rect", encoding: { ...place, color: shade } },
      { data: { values }, mark: { type: "text", fontSize: 11, color: INK }, encoding: { ...place, ...text } },
    ],
  };
}

/** The loss of each step of a history of train.fit(), its running mean, and the validation loss after each epoch, in steps of `stepsPerEpoch`. */
export function lossPanel({ losses, epochs }, stepsPerEpoch, layout = {}) {
  const means = smooth(losses, losses.length / 50);
  const points = [
    ...thin([...losses.keys()], 600).flatMap((i) => [
      { series: "training", x: i + 1, y: losses[i], kind: "faint" },
      { series: "training", x: i + 1, y: means[i] },
    ]),
    ...epochs.map(({ epoch, validation }) => ({ series: "test", x: epoch * stepsPerEpoch, y: validation.loss, kind: "dot" })),
  ];
  return linePanel({ title: "Loss of each step, and its running mean", x: "step", y: "cross-entropy", points, scaleY: "log", ...layout });
}

/** What a ConfusionMatrix counts beside its diagonal. */
export function mistakesPanel(confusion, classes, layout = {}) {
  const cells = confusion.rows.flatMap((row, truth) =>
    row.map((count, taken) => ({ x: classes[taken], y: classes[truth], value: truth === taken || count === 0 ? null : count })),
  );
  return heatPanel({ title: "Mistakes on the test images", x: "taken for", y: "class", cells, order: classes, ...layout });
}

/** Means of `count` values around each value, for curves that jump. */
export function smooth(values, count) {
  const half = Math.floor(count / 2);
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - half), i + half + 1);
    return near.reduce((a, b) => a + b, 0) / near.length;
  });
}

/** At most `most` of the values, evenly picked, with the first and the last. */
function thin(values, most) {
  if (values.length <= most) return values;
  return Array.from({ length: most }, (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))]);
}
