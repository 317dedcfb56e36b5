// An op that was applied to the same operands before is not applied again. What reads memory that the graph changes is the
// same only between two changes; what draws random numbers never is. What is computed again to save memory stays apart.
import type { Region } from "../../../bindings/trace.js";
import { type Graph, type GraphNode, keyIn } from "../graph.js";
import { identityOf } from "../signature.js";
import { rewrite } from "./rewrite.js";

export function commonSubexpressions(graph: Graph): Graph {
  const ids = new Map<GraphNode | Region, number>();
  const idOf = (node: GraphNode | Region): number => {
    let id = ids.get(node);
    if (id === undefined) {
      id = ids.size;
      ids.set(node, id);
    }
    return id;
  };
  const written = graph.written;
  const changing = new Set<GraphNode>();
  const seen = new Map<string, GraphNode>();
  let changes = 0;
  return rewrite(graph, (node) => {
    if (node.kind === "change") changes++;
    if ((node.value !== undefined && written.has(node.value.storage)) || node.inputs.some((input) => changing.has(input))) changing.add(node);
    if (node.op === undefined || keyIn(node.params) !== undefined) return node;
    const region = node.region === undefined ? "" : `@${idOf(node.region)} `;
    const key = `${region}${node.op.name}(${node.inputs.map(idOf)})${changing.has(node) ? changes : ""}${JSON.stringify(node.params, plain)}`;
    const earlier = seen.get(key);
    if (earlier !== undefined) return earlier;
    seen.set(key, node);
    return node;
  });
}

/** JSON has no infinities and no typed arrays. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) return `number ${Object.is(value, -0) ? "-0" : value}`;
  if (typeof value === "function") return `function ${identityOf(value)}`;
  if (ArrayBuffer.isView(value)) return [value.constructor.name, ...(value as Float64Array)];
  return value === undefined ? "undefined" : value;
}
