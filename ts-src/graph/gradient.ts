// The second kind of derivative: a graph whose nodes compute the derivative of another graph. The reverse walk runs on symbols.

import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, GradientError } from "../../bindings/errors.js";
import { tensorsIn } from "../../bindings/lifetime.js";
import { showShape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { checkedOptions } from "../ops/checks.js";
import { grad } from "../ops/derivatives.js";
import type { Tree } from "../ops/tree.js";
import { Graph, GraphNode } from "./graph.js";
import { deadCode } from "./passes/dead-code.js";
import { traced } from "./trace.js";

export interface GradientOptions {
  /** The argument to differentiate, or a list of them; 0 by default. */
  wrt?: number | readonly number[];
  /** What an argument that the output does not depend on gets: zeros (default), or a GradientError. */
  unused?: "zero" | "error";
}

/**
 * The graph of df/dx for a graph of a scalar function, with the same arguments: x is the argument `wrt`, or a list of them.
 * The result can be looked at, run, compiled, and differentiated again. Throws ConfigError, GradientError.
 */
export function gradient(graph: Graph, options: GradientOptions = {}): Graph {
  if (!(graph instanceof Graph)) throw new ConfigError(`gradient: expected a graph, as trace() makes it; got ${showValue(graph)}`);
  checkedOptions("gradient", options, ["wrt", "unused"]);
  const { wrt = 0, unused = "zero" } = options;
  const list = typeof wrt === "number" ? [wrt] : [...wrt];
  const count = graph.argumentTree.length;
  for (const index of list) {
    if (!Number.isInteger(index) || index < 0 || index >= count)
      throw new GradientError(`gradient: expected wrt from 0 to ${count - 1}; got ${typeof index === "number" ? index : showValue(index)}`);
  }
  if (unused !== "zero" && unused !== "error") throw new ConfigError(`gradient: expected unused "zero" or "error"; got ${showValue(unused)}`);
  if (list.length === 0 || new Set(list).size < list.length) throw new ConfigError(`gradient: expected different arguments in wrt; got [${list}]`);
  checkedOutput(graph);
  checkedArguments(graph, list, unused === "error");
  const derivative = traced((...xs) => {
    const chosen = list.map((index) => xs[index]);
    const f = (parts: readonly Tree[]) => tensorsIn(graph.run(...xs.map((x, i) => (list.includes(i) ? parts[list.indexOf(i)] : x))))[0];
    const result = (grad as (f: (parts: readonly Tree[]) => unknown) => (parts: readonly Tree[]) => readonly Tree[])(f)(chosen);
    return typeof wrt === "number" ? result[0] : result;
  }, graph.argumentTree);
  return deadCode(derivative);
}

function describe({ name, dtype, shape }: GraphNode): string {
  return `${name} ${dtype} ${showShape(shape)}`;
}

function checkedOutput({ outputs }: Graph): void {
  const [output] = outputs;
  if (outputs.length === 1 && sizeOf(output.shape) === 1 && isFloat(output.dtype)) return;
  const advice =
    outputs.length > 1
      ? "trace a function that returns one of them, or their sum"
      : isFloat(output.dtype)
        ? "trace sum() or mean() of it, or vjp() with a gradient of this shape"
        : "integers have no derivative";
  throw new GradientError(`gradient: expected a graph with one output of one float element; got ${outputs.map(describe).join(", ")}; ${advice}`);
}

/** That every tensor of the arguments is a float and, if `used`, that the output depends on it. */
function checkedArguments(graph: Graph, list: readonly number[], used: boolean): void {
  const reached = new Set<GraphNode>(graph.outputs);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    if (reached.has(graph.nodes[i])) for (const input of graph.nodes[i].inputs) reached.add(input);
  }
  for (const index of list) {
    for (const { path, node } of leavesOf(graph.argumentTree[index], `argument ${index}`)) {
      if (!isFloat(node.dtype))
        throw new DtypeError(`gradient: expected float32 or float64 for ${path}; got ${node.dtype} ${showShape(node.shape)}; leave it out of wrt`);
      if (used && !reached.has(node)) {
        const output = describe(graph.outputs[0]);
        throw new GradientError(
          `gradient: expected an output that depends on ${path}, ${node.dtype} ${showShape(node.shape)}; got ${output}, which does not read it; leave it out of wrt, or use { unused: "zero" }`,
        );
      }
    }
  }
}

/** The nodes in a tree, each with the way to it. */
function leavesOf(tree: unknown, path: string): { path: string; node: GraphNode }[] {
  if (tree instanceof GraphNode) return [{ path, node: tree }];
  if (tree === null || typeof tree !== "object") return [];
  return Object.entries(tree).flatMap(([name, item]) => leavesOf(item, Array.isArray(tree) ? `${path}[${name}]` : `${path}.${name}`));
}
