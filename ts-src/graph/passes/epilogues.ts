// Matrix products with what follows them in the same pass: bias and activation, or the derivative of an activation, while the rows
// are in the cache. Only where nothing else reads the product itself.
import type { AnyOp } from "../../../bindings/op.js";
import { linearThen, matmulThen, matmulThenGrad } from "../../ops/composed.js";
import type { Epilogue } from "../../ops/gemm.js";
import { type Graph, GraphNode } from "../graph.js";
import { deadCode } from "./dead-code.js";
import { rewrite } from "./rewrite.js";
import { soleUses } from "./uses.js";

const activations: readonly string[] = ["relu", "tanh", "sigmoid", "gelu", "geluTanh", "silu"] satisfies Epilogue[];
const derivatives: readonly string[] = ["reluGrad", "tanhGrad", "sigmoidGrad"] satisfies Epilogue[];

export function epilogues(graph: Graph): Graph {
  const sole = soleUses(graph);
  const joined = rewrite(graph, (node, before) => {
    const [product, y] = node.inputs;
    if (node.op === undefined || product === undefined || !sole.has(before.inputs[0])) return node;
    const epilogue = node.op.name as Epilogue;
    let op: AnyOp | undefined;
    if (activations.includes(epilogue)) {
      if (product.name === "linear") op = linearThen(epilogue);
      else if (isMatrixProduct(product)) op = matmulThen(epilogue);
    } else if (derivatives.includes(epilogue) && isMatrixProduct(product) && y !== product) op = matmulThenGrad(epilogue);
    return op === undefined ? node : new GraphNode({ ...node, op, params: undefined, inputs: [...product.inputs, ...node.inputs.slice(1)] });
  });
  return deadCode(joined);
}

function isMatrixProduct(node: GraphNode): boolean {
  return node.name === "matmul" && node.inputs.every((input) => input.shape.length === 2);
}
