// A graph as a picture: what the function computes, its derivative and the changes of memory told apart by colour and by outline
// (colours that differ for every kind of sight: Okabe and Ito 2008). A weight is drawn beside each op that reads it.
import { ConfigError } from "../../bindings/errors.js";
import { showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "../ops/checks.js";
import type { Graph, GraphNode } from "./graph.js";
import { type Layout, layout } from "./layout.js";
import { described, names } from "./listing.js";
import { showStats } from "./stats.js";

export interface DrawingOptions {
  /** Stands above the picture. */
  title?: string;
  /** What tensors that the function reaches by itself are called, as `module.namedParameters()` tells. */
  names?: Iterable<readonly [string, Tensor]>;
}

type Role = "input" | "constant" | "forward" | "derivative" | "update";

const HEIGHT = 38;
const GAP_Y = 34;
const MARGIN = 20;
const TITLE = 16; // px
const NAME = 12.5;
const TYPE = 10.5;
/** Width of a character in its font size: sans-serif letters and digits take 0.5 to 0.6. */
const EM = 0.6;
const TEXT = "#1f2430";
const FAINT = "#4b5563";

const looks: { readonly [role in Role]: { readonly fill: string; readonly stroke: string; readonly legend: string } } = {
  input: { fill: "#ffffff", stroke: "#1f2430", legend: "argument" },
  constant: { fill: "#eef0f2", stroke: "#8a939e", legend: "weight or constant" },
  forward: { fill: "#d9ebf7", stroke: "#0072b2", legend: "function" },
  derivative: { fill: "#fce5d6", stroke: "#d55e00", legend: "derivative" },
  update: { fill: "#d3efe5", stroke: "#009e73", legend: "change of memory" },
};

const DASHES = ' stroke-dasharray="5 2.5"';
const KEPT = 'stroke="#0072b2" stroke-dasharray="2 3"';

/** What the derivative reads of the function is kept until then. */
function isKept(from: Role, to: Role): boolean {
  return (from === "forward" || from === "input") && to === "derivative";
}

/** A node, or a constant once more. */
interface Drawn {
  readonly node: GraphNode;
  readonly role: Role;
  readonly lines: readonly [string, string];
  readonly width: number;
  readonly reads: number[];
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);
}

function tensorNames(options: DrawingOptions): Map<unknown, string> {
  const { title, names: given = [] } = checkedOptions("toSVG", options, ["title", "names"]);
  if (title !== undefined && typeof title !== "string") throw new ConfigError(`toSVG: expected a title, a string; got ${showValue(title)}`);
  if (given === null || typeof given !== "object" || !(Symbol.iterator in given))
    throw new ConfigError(`toSVG: expected names, pairs [name, tensor] as module.namedParameters() gives; got ${showValue(given)}`);
  const found = new Map<unknown, string>();
  for (const pair of given) {
    if (!Array.isArray(pair) || typeof pair[0] !== "string" || !(pair[1] instanceof Tensor))
      throw new ConfigError(`toSVG: expected names, pairs [name, tensor] as module.namedParameters() gives; got ${showValue(pair)} among them`);
    found.set(pair[1].storage, pair[0]);
  }
  return found;
}

/** Nodes in order, each constant right before the op that reads it. */
function drawn(graph: Graph, called: ReadonlyMap<GraphNode, string>, options: DrawingOptions): Drawn[] {
  const tensors = tensorNames(options);
  const nameOf = (node: GraphNode): string => tensors.get(node.value?.storage) ?? (node.value?.size === 1 ? String(node.value.item()) : node.kind);
  const found: Drawn[] = [];
  const places = new Map<GraphNode, number>();
  const add = (node: GraphNode, role: Role, first: string): number => {
    const type = `${node.dtype === "float32" ? "" : `${node.dtype} `}${showShape(node.shape)}`;
    const second = `${called.get(node)}  ${type}`;
    const width = Math.ceil(Math.max(NAME * first.length, TYPE * second.length) * EM) + 28;
    return found.push({ node, role, lines: [first, second], width, reads: [] }) - 1;
  };
  for (const node of new Set([...graph.inputs, ...graph.nodes])) {
    if (node.kind === "constant") continue;
    // what an optimizer reads besides gradients is its own: the weight, which the label names, and its state
    const written = node.change && node.inputs[Object.keys(node.change.tensors).indexOf(node.change.writes[0])];
    const operands = node.inputs.map((input) => {
      if (input.kind !== "constant") return places.get(input) as number;
      return written === undefined ? add(input, "constant", nameOf(input)) : -1;
    });
    const role = node.kind === "input" ? "input" : node.change ? "update" : node.derivative ? "derivative" : "forward";
    const target = written === undefined ? undefined : tensors.get(written.value?.storage);
    const place = add(node, role, target === undefined ? node.name : `${node.name} ${target}`);
    places.set(node, place);
    found[place].reads.push(...new Set(operands.filter((operand) => operand >= 0)));
  }
  // a result that is a constant is read by nothing
  for (const node of graph.outputs) if (node.kind === "constant") add(node, "constant", nameOf(node));
  return found;
}

function outline({ role, width }: Drawn, x: number, y: number, output: boolean): string {
  const { fill, stroke } = looks[role];
  const style = `fill="${fill}" stroke="${stroke}" stroke-width="${output ? 3 : 1.3}"${role === "derivative" ? DASHES : ""}`;
  if (role === "update") {
    const [l, t, r, b, cut] = [x - width / 2, y, x + width / 2, y + HEIGHT, 9];
    return `<path d="M${l + cut} ${t}H${r - cut}L${r} ${t + cut}V${b - cut}L${r - cut} ${b}H${l + cut}L${l} ${b - cut}V${t + cut}Z" ${style}/>`;
  }
  const round = role === "input" || role === "constant" ? HEIGHT / 2 : 6;
  return `<rect x="${x - width / 2}" y="${y}" width="${width}" height="${HEIGHT}" rx="${round}" ${style}/>`;
}

/** A curve from a box to one below, straight down through the slots between. */
function edge(from: { x: number; y: number }, to: { x: number; y: number }, slots: readonly number[]): string {
  let [x, y] = [from.x, from.y + HEIGHT];
  let path = `M${x} ${y}`;
  const curve = (x1: number, y1: number): void => {
    const half = (y + y1) / 2;
    path += Math.abs(x1 - x) < 0.5 ? `L${x1} ${y1}` : `C${x} ${half} ${x1} ${half} ${x1} ${y1}`;
    [x, y] = [x1, y1];
  };
  for (const slot of slots) {
    curve(slot, y + GAP_Y);
    y += HEIGHT;
    path += `V${y}`;
  }
  curve(to.x, to.y - 5);
  return path;
}

function text(x: number, y: number, size: number, fill: string, content: string, more = ""): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}"${more}>${escaped(content)}</text>`;
}

/** Title, figures and what the colours mean. */
function heading(graph: Graph, boxes: readonly Drawn[], title: string | undefined): { parts: string[]; width: number; height: number } {
  const parts: string[] = [];
  let y = MARGIN;
  let width = 0;
  const line = (size: number, fill: string, content: string, more?: string): void => {
    y += size;
    parts.push(text(MARGIN, y, size, fill, content, more));
    width = Math.max(width, content.length * size * EM);
    y += 8;
  };
  if (title !== undefined) line(TITLE, TEXT, title, ' font-weight="600"');
  line(NAME, FAINT, showStats(graph.stats()));
  let x = MARGIN;
  y += 4;
  const entry = (sign: string, legend: string): void => {
    parts.push(sign, text(x + 28, y + 11.5, NAME, FAINT, legend));
    x += 28 + legend.length * NAME * EM + 14;
  };
  for (const role of (Object.keys(looks) as Role[]).filter((role) => boxes.some((box) => box.role === role))) {
    const { fill, stroke, legend } = looks[role];
    const [round, dashes] = [role === "input" || role === "constant" ? 7 : 3, role === "derivative" ? DASHES : ""];
    entry(`<rect x="${x}" y="${y}" width="22" height="14" rx="${round}" fill="${fill}" stroke="${stroke}"${dashes}/>`, legend);
  }
  entry(`<rect x="${x + 1}" y="${y}" width="20" height="14" rx="3" fill="none" stroke="${FAINT}" stroke-width="3"/>`, "result");
  if (boxes.some(({ role, reads }) => reads.some((from) => isKept(boxes[from].role, role))))
    entry(`<path d="M${x} ${y + 7}h22" ${KEPT} stroke-width="1.6"/>`, "kept for the derivative");
  return { parts, width: Math.max(width, x - MARGIN), height: y + 14 + MARGIN };
}

/** A self-contained SVG document. */
export function drawing(graph: Graph, options: DrawingOptions): string {
  const called = names(graph);
  const boxes = drawn(graph, called, options);
  const plan = layout(boxes);
  const head = heading(graph, boxes, options.title);
  const width = Math.ceil(Math.max(head.width, plan.right - plan.left) + 2 * MARGIN);
  const height = Math.ceil(head.height + plan.rows * (HEIGHT + GAP_Y) - GAP_Y + MARGIN);
  const shift = (width - plan.right - plan.left) / 2;
  const at = plan.places.map(({ x, row }) => ({ x: round(x + shift), y: head.height + row * (HEIGHT + GAP_Y) }));
  const parts = [...edges(boxes, plan, at, shift)];
  for (const [i, box] of boxes.entries()) {
    const { x, y } = at[i];
    const [first, second] = box.lines;
    parts.push(
      `<g text-anchor="middle"><title>${escaped(described(called, box.node))}</title>`,
      outline(box, x, y, graph.outputs.includes(box.node)),
      text(x, y + 16, NAME, TEXT, first, ' font-weight="600"'),
      text(x, y + 30, TYPE, FAINT, second),
      "</g>",
    );
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif">`,
    '<defs><marker id="tapir-arrow" viewBox="0 0 8 8" refX="2" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5L7 4L0 7.5Z" fill="#59636f"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...head.parts,
    ...parts,
    "</svg>",
  ].join("\n");
}

function round(x: number): number {
  return Math.round(10 * x) / 10;
}

/** Edges leave and arrive side by side, in the order of where they come from and go to. */
function edges(boxes: readonly Drawn[], plan: Layout, at: readonly { x: number; y: number }[], shift: number): string[] {
  const ends = boxes.flatMap(({ reads }, to) => reads.map((from, j) => ({ from, to, slots: plan.routes[to][j].map((x) => round(x + shift)) })));
  const [leaving, arriving] = [boxes.map((): typeof ends => []), boxes.map((): typeof ends => [])];
  for (const end of ends) {
    leaving[end.from].push(end);
    arriving[end.to].push(end);
  }
  for (const list of leaving) list.sort((a, b) => (a.slots[0] ?? at[a.to].x) - (b.slots[0] ?? at[b.to].x));
  for (const list of arriving) list.sort((a, b) => (a.slots.at(-1) ?? at[a.from].x) - (b.slots.at(-1) ?? at[b.from].x));
  const port = (i: number, list: readonly unknown[], end: unknown): { x: number; y: number } => {
    const room = Math.min(14, (boxes[i].width - 24) / Math.max(1, list.length - 1));
    return { x: round(at[i].x + (list.indexOf(end) - (list.length - 1) / 2) * room), y: at[i].y };
  };
  return ends.map((end) => {
    const [from, to] = [boxes[end.from].role, boxes[end.to].role];
    const style = isKept(from, to) ? KEPT : 'stroke="#7b8591"';
    const path = edge(port(end.from, leaving[end.from], end), port(end.to, arriving[end.to], end), end.slots);
    return `<path d="${path}" fill="none" ${style} stroke-width="1.2" marker-end="url(#tapir-arrow)"/>`;
  });
}
