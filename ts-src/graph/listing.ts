// A graph as text: one line a node, with what it reads, its shape and dtype; and as a drawing of Graphviz.
import { showShape } from "../../bindings/shape.js";
import type { Graph, GraphNode } from "./graph.js";

/** x0, x1 ... for inputs, c0 ... for constants, v0 ... for what ops make. */
export function names(graph: Graph): Map<GraphNode, string> {
  const counts = { x: 0, c: 0, v: 0 };
  const found = new Map<GraphNode, string>();
  for (const node of new Set([...graph.inputs, ...graph.nodes])) {
    const letter = node.kind === "input" ? "x" : node.kind === "constant" ? "c" : "v";
    found.set(node, `${letter}${counts[letter]++}`);
  }
  return found;
}

const LONGEST = 60; // characters of parameters

function parameters(params: unknown): string {
  if (params === undefined || params === null || typeof params !== "object") return "";
  const text = Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(", ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function typeOf(node: GraphNode): string {
  return `${node.dtype} ${showShape(node.shape)}`;
}

/** v0 = matmul(x0, c0), and its type. */
function line(node: GraphNode, name: ReadonlyMap<GraphNode, string>): [string, string] {
  const operands = node.inputs.map((input) => name.get(input)).join(", ");
  const settings = parameters(node.params);
  const scalar = node.value?.size === 1 ? String(node.value.item()) : node.kind;
  const made = node.inputs.length === 0 && node.op === undefined ? scalar : `${node.name}(${operands}${settings === "" ? "" : `; ${settings}`})`;
  return [`${name.get(node)} = ${made}`, typeOf(node)];
}

/** A node as the listing shows it. */
export function described(name: ReadonlyMap<GraphNode, string>, node: GraphNode): string {
  return line(node, name).join(" : ");
}

/** graph(x0: float32 [2,3]) ... return v4 */
export function listing(graph: Graph): string {
  const name = names(graph);
  const lines: [string, string][] = [];
  for (const node of graph.nodes) {
    if (node.kind === "input") continue;
    const [left, right] = line(node, name);
    lines.push([`  ${left}`, right]);
  }
  const width = Math.min(100, Math.max(0, ...lines.map(([left]) => left.length)));
  const args = graph.inputs.map((input) => `${name.get(input)}: ${typeOf(input)}`).join(", ");
  return [
    `graph(${args})`,
    ...lines.map(([left, right]) => `${left.padEnd(width)}  ${right}`),
    `  return ${graph.outputs.map((output) => name.get(output)).join(", ")}`,
  ].join("\n");
}

/** The graph in Graphviz's language. */
export function dot(graph: Graph): string {
  const name = names(graph);
  const shapes = { input: "box", constant: "box", op: "ellipse", change: "octagon" };
  const nodes = [...name].map(
    ([node, id]) => `  ${id} [label="${node.name}\\n${typeOf(node)}", shape=${shapes[node.kind]}${graph.outputs.includes(node) ? ", penwidth=2" : ""}];`,
  );
  const edges = graph.nodes.flatMap((node) => node.inputs.map((input) => `  ${name.get(input)} -> ${name.get(node)};`));
  return `digraph {\n  rankdir=TB;\n  node [fontname="sans-serif", fontsize=10];\n${[...nodes, ...edges].join("\n")}\n}`;
}
