// Ops on numbers that were made within the traced function are computed once. Weights are no constants: they may change.
import { held, scope } from "../../../bindings/lifetime.js";
import { withRecording } from "../../../bindings/tape.js";
import type { Tensor } from "../../../bindings/tensor.js";
import { applyNode, type Graph, GraphNode, keyIn } from "../graph.js";
import { rewrite } from "./rewrite.js";

const LARGEST = 2 ** 16; // elements; more would hold memory that an op makes in no time

export function constantFolding(graph: Graph): Graph {
  const written = graph.written;
  const known = (node: GraphNode): boolean => node.value !== undefined && node.fixed && !written.has(node.value.storage);
  return rewrite(graph, (node) => {
    const { op, shape, dtype, inputs } = node;
    if (op === undefined || keyIn(node.params) !== undefined || inputs.length === 0 || !inputs.every(known)) return node;
    if (shape.reduce((n, size) => n * size, 1) > LARGEST) return node;
    const value = withRecording(false, () =>
      scope(() =>
        held(
          applyNode(
            node,
            inputs.map((input) => input.value as Tensor),
            (key) => key,
          ),
        ),
      ),
    );
    return new GraphNode({ kind: "constant", shape, dtype, inputs: [], value, fixed: true });
  });
}
