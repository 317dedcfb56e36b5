// A graph as a picture: rows by the longest way from an input, nodes of a row ordered by the middle of what they read
// (Sugiyama, Tagawa and Toda 1981, one sweep down).
import { showShape } from "../../bindings/shape.js";
import type { Graph, GraphNode } from "./graph.js";

const WIDTH = 120;
const HEIGHT = 34;
const GAP_X = 16;
const GAP_Y = 38;
const MARGIN = 12;
const fills = { input: "#dbeafe", constant: "#f1f5f9", op: "#ffffff", change: "#fef3c7" };

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** Rows of nodes; constants stand right above what reads them first. */
function rows(graph: Graph): GraphNode[][] {
  const depth = new Map<GraphNode, number>();
  const all = [...new Set([...graph.inputs, ...graph.nodes])];
  for (const node of all) {
    let row = 0;
    for (const input of node.inputs) row = Math.max(row, (depth.get(input) ?? 0) + 1);
    depth.set(node, row);
  }
  for (const node of [...all].reverse()) {
    for (const input of node.inputs) {
      if (input.kind === "constant" && !all.some((other) => other !== node && other.inputs.includes(input)))
        depth.set(input, Math.max(0, (depth.get(node) as number) - 1));
    }
  }
  const found: GraphNode[][] = [];
  for (const node of all) {
    const row = depth.get(node) as number;
    while (found.length <= row) found.push([]);
    found[row].push(node);
  }
  return found;
}

/** A self-contained SVG document. */
export function drawing(graph: Graph): string {
  const place = new Map<GraphNode, { x: number; y: number }>();
  const layers = rows(graph);
  const widest = Math.max(...layers.map((row) => row.length));
  const width = 2 * MARGIN + widest * (WIDTH + GAP_X) - GAP_X;
  const height = 2 * MARGIN + layers.length * (HEIGHT + GAP_Y) - GAP_Y;
  for (const [i, row] of layers.entries()) {
    const middle = (node: GraphNode): number => {
      const above = node.inputs.map((input) => place.get(input)?.x).filter((x) => x !== undefined);
      return above.length === 0 ? 0 : above.reduce((a, b) => a + b, 0) / above.length;
    };
    const ordered = [...row].sort((a, b) => middle(a) - middle(b));
    const left = (width - (row.length * (WIDTH + GAP_X) - GAP_X)) / 2;
    for (const [j, node] of ordered.entries()) place.set(node, { x: left + j * (WIDTH + GAP_X) + WIDTH / 2, y: MARGIN + i * (HEIGHT + GAP_Y) });
  }
  const parts: string[] = [];
  for (const [node, to] of place) {
    for (const input of node.inputs) {
      const from = place.get(input);
      if (from === undefined) continue;
      const [y0, y1] = [from.y + HEIGHT, to.y];
      parts.push(`<path d="M${from.x} ${y0}C${from.x} ${(y0 + y1) / 2} ${to.x} ${(y0 + y1) / 2} ${to.x} ${y1}" fill="none" stroke="#94a3b8"/>`);
    }
  }
  for (const [node, { x, y }] of place) {
    const stroke = graph.outputs.includes(node) ? "#0f172a" : "#94a3b8";
    parts.push(
      `<rect x="${x - WIDTH / 2}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6" fill="${fills[node.kind]}" stroke="${stroke}"/>`,
      `<text x="${x}" y="${y + 14}" text-anchor="middle" font-size="11" fill="#0f172a">${escaped(node.name)}</text>`,
      `<text x="${x}" y="${y + 27}" text-anchor="middle" font-size="9" fill="#475569">${escaped(`${node.dtype} ${showShape(node.shape)}`)}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">\n${parts.join("\n")}\n</svg>`;
}
