// The second kind of derivative: a graph whose nodes compute the derivative of another graph. The reverse walk runs on symbols.

import { ConfigError, GradientError } from "../../bindings/errors.js";
import { tensorsIn } from "../../bindings/lifetime.js";
import { showShape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { checkedOptions } from "../ops/checks.js";
import { grad } from "../ops/derivatives.js";
import type { Tree } from "../ops/tree.js";
import { Graph, mapLeaves } from "./graph.js";
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
  const [output] = graph.outputs;
  if (graph.outputs.length !== 1 || sizeOf(output.shape) !== 1) {
    const got = graph.outputs.map((node) => showShape(node.shape)).join(", ");
    throw new GradientError(`gradient: expected a graph with one output of one element; got ${got}; trace sum() or mean() of it`);
  }
  if (unused === "error") {
    const reached = new Set(deadCode(graph).nodes);
    for (const index of list) {
      const nodes = tensorLeaves(graph, index);
      const left = nodes.find((node) => !reached.has(node));
      if (left !== undefined)
        throw new GradientError(
          `gradient: expected the output to depend on argument ${index}; got one that does not read ${left.dtype} ${showShape(left.shape)}`,
        );
    }
  }
  const derivative = traced((...xs) => {
    const chosen = list.map((index) => xs[index]);
    const f = (parts: readonly Tree[]) => tensorsIn(graph.run(...xs.map((x, i) => (list.includes(i) ? parts[list.indexOf(i)] : x))))[0];
    const result = (grad as (f: (parts: readonly Tree[]) => unknown) => (parts: readonly Tree[]) => readonly Tree[])(f)(chosen);
    return typeof wrt === "number" ? result[0] : result;
  }, graph.argumentTree);
  return deadCode(derivative);
}

function tensorLeaves(graph: Graph, index: number) {
  const before = graph.argumentTree.slice(0, index).flatMap((tree) => leavesOf(tree)).length;
  return graph.inputs.slice(before, before + leavesOf(graph.argumentTree[index]).length);
}

function leavesOf(tree: unknown): unknown[] {
  const found: unknown[] = [];
  mapLeaves(tree, (leaf) => found.push(leaf));
  return found;
}
