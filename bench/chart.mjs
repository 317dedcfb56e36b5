// A line chart as an SVG, by vega-lite: logarithmic axes, colours that differ for every kind of sight (Okabe and Ito 2008), and a
// shape for each line.
import * as vega from "vega";
import { compile } from "vega-lite";

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
const TEXT = "#1f2430";

export async function chart({ title, subtitle, x, y, points, targets = [], linearY = false }) {
  const names = [...new Set(points.map(({ series }) => series))];
  const scaleY = linearY ? { zero: true, nice: true } : { type: "log", nice: true };
  const xs = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const decades = Array.from({ length: 25 }, (_, i) => 10 ** (i - 12));
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 520,
    height: 320,
    padding: 16,
    background: "white",
    title: { text: title, subtitle, anchor: "start", fontSize: 15, subtitleFontSize: 12, subtitleColor: "#4b5563", offset: 14, color: TEXT },
    layer: [
      {
        data: { values: points },
        mark: { type: "line", strokeWidth: 2, point: { size: 55, filled: true } },
        encoding: {
          x: {
            field: "x",
            type: "quantitative",
            title: x,
            scale: { type: "log", nice: false, padding: 12 },
            axis: { values: xs, format: ",d", labelOverlap: "greedy" },
          },
          y: { field: "y", type: "quantitative", title: y, scale: scaleY, axis: { format: linearY ? ".1~f" : ",~g", ...(!linearY && { values: decades }) } },
          color: {
            field: "series",
            type: "nominal",
            scale: { domain: names, range: COLOURS },
            legend: { title: null, orient: "bottom", labelLimit: 300 },
          },
          shape: { field: "series", type: "nominal", scale: { domain: names }, legend: { title: null } },
        },
      },
      {
        data: { values: targets },
        mark: { type: "rule", strokeDash: [6, 4], color: "#4b5563" },
        encoding: { y: { field: "y", type: "quantitative" } },
      },
      {
        data: { values: targets },
        mark: { type: "text", align: "right", dx: -6, dy: 12, color: "#4b5563", fontSize: 11 },
        encoding: { y: { field: "y", type: "quantitative" }, x: { value: "width" }, text: { field: "label" } },
      },
    ],
    config: {
      font: "Helvetica, Arial, sans-serif",
      axis: {
        labelFontSize: 11,
        titleFontSize: 12,
        titleFontWeight: "normal",
        titlePadding: 10,
        gridColor: "#e5e7eb",
        labelColor: TEXT,
        titleColor: TEXT,
        domainColor: "#9aa3ad",
        tickColor: "#9aa3ad",
      },
      legend: { labelFontSize: 12, symbolSize: 90, labelColor: TEXT },
      view: { stroke: null },
    },
  };
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: "none" });
  return view.toSVG();
}
