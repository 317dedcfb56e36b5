// Frequent pairs of elementwise ops as the kernels that do both in one pass: a product or sum and a sum or product, a residual and
// relu, a squared difference. Only where nothing else reads what lies between.
import { isFloat } from "../../../bindings/dtype.js";
import { sameShape, sizeOf } from "../../../bindings/shape.js";
import { operationThen, twoOperations } from "../../ops/composed.js";
import { type Graph, GraphNode } from "../graph.js";
import { deadCode } from "./dead-code.js";
import { rewrite } from "./rewrite.js";
import { soleUses } from "./uses.js";

const commutative: readonly string[] = ["add", "mul"];

export function composed(graph: Graph): Graph {
  const sole = soleUses(graph);
  const joined = rewrite(graph, (node, before) => {
    if (node.op?.split !== "elements" || !isFloat(node.dtype)) return node;
    // the place of the inner op: the first operand, or either of a sum or product
    const places = commutative.includes(node.name) ? [0, 1] : [0];
    for (const place of places) {
      const inner = node.inputs[place];
      if (!sole.has(before.inputs[place]) || inner.op === undefined || !sameShape(inner.shape, node.shape)) continue;
      const made = pair(node, inner, node.inputs[1 - place]);
      if (made !== undefined) return made;
    }
    return node;
  });
  return deadCode(joined);
}

function pair(node: GraphNode, inner: GraphNode, c: GraphNode | undefined): GraphNode | undefined {
  const whole = (x: GraphNode): boolean => sameShape(x.shape, node.shape);
  const one = (x: GraphNode): boolean => sizeOf(x.shape) === 1;
  let [a, b] = inner.inputs;
  if (b === undefined) return undefined;
  if (!whole(a) && commutative.includes(inner.name)) [a, b] = [b, a];
  if (!whole(a) || !(whole(b) || one(b))) return undefined;
  if (c === undefined) {
    const op = whole(b) ? operationThen(inner.name, node.name) : undefined;
    return op && new GraphNode({ ...node, op, params: undefined, inputs: [a, b] });
  }
  const op = whole(c) || one(c) ? twoOperations(inner.name, node.name) : undefined;
  return op && new GraphNode({ ...node, op, params: undefined, inputs: [a, b, c] });
}
