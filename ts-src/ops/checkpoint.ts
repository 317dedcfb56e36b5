// Memory for time: of a part of a network only the operands are kept, and the part runs again when its derivative is asked for
// (Chen et al. 2016, "Training deep nets with sublinear memory cost").

import { ConfigError, GradientError } from "../../bindings/errors.js";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import type { AnyOp } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import { type Edge, isRecording, record, watching, withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { Region, withRegion } from "../../bindings/trace.js";
import { clone } from "./convert.js";
import { zerosLike } from "./create.js";
import { fresh } from "./derivatives.js";
import { nextStreams, replaying, type Streams } from "./random.js";
import { history, walk } from "./reverse.js";
import { mapTree, type Tree } from "./tree.js";

/**
 * The same function of tensors to one tensor, of whose intermediate results none is kept: the derivative computes them again.
 * Random numbers are drawn again as they were, and what f changes in place is changed once. In a trace the nodes that compute f
 * again stand right before the part of the derivative that reads them.
 * Throws ConfigError unless f is a function, GradientError unless it returns a tensor.
 */
export function checkpoint<A extends readonly Tree[]>(f: (...xs: A) => Tensor): (...xs: A) => Tensor {
  if (typeof f !== "function") throw new ConfigError(`checkpoint: expected a function; got ${showValue(f)}`);
  return (...xs) => {
    if (!isRecording()) return f(...xs);
    const streams = nextStreams();
    const reached = new Set<Tensor>();
    const y = withRecording(false, () =>
      scope(() =>
        watching(
          (t) => reached.add(t),
          () => withRegion(new Region(false), () => f(...xs)),
        ),
      ),
    );
    if (!(y instanceof Tensor)) throw new GradientError(`checkpoint: expected a function that returns one tensor; got ${showValue(y)}`);
    const given = tensorsIn(xs);
    // weights that f reaches by itself get their gradients too
    const operands = [...new Set([...given, ...reached])].filter((t) => t.edge !== undefined);
    if (operands.length === 0 || y.node !== undefined) return y;
    const result = given.includes(y) ? clone(y) : y;
    const again = recomputed(f as unknown as (...args: Tree[]) => Tensor, xs, operands, streams);
    const node = record(
      again,
      undefined,
      operands.map((t) => t.edge),
      operands.map((t) => t.shape),
      result.dtype,
    );
    node.save(operands);
    result.node = node;
    return result;
  };
}

/** An op of its own for this call: its derivative runs f again and differentiates that. */
function recomputed(f: (...xs: Tree[]) => Tensor, xs: readonly Tree[], operands: readonly Tensor[], streams: Streams): AnyOp {
  const inputs = operands.map((_, i) => `x${i}`);
  return {
    name: "checkpoint",
    inputs,
    shape: (x) => x.x0,
    kernel: () => undefined,
    saves: inputs,
    samples: [],
    vjp(dy, saved) {
      let gradients: readonly Tensor[] | undefined;
      const all = (): readonly Tensor[] => {
        gradients ??= pulledBack(f, xs, operands, inputs.map((name) => saved[name]), dy, streams); // biome-ignore format: one call
        return gradients;
      };
      return Object.fromEntries(inputs.map((name, i) => [name, () => all()[i]]));
    },
  };
}

function pulledBack(
  f: (...xs: Tree[]) => Tensor,
  xs: readonly Tree[],
  operands: readonly Tensor[],
  saved: readonly Tensor[],
  dy: Tensor,
  streams: Streams,
): Tensor[] {
  const createGraph = isRecording();
  return scope((within) =>
    withRecording(true, () => {
      // arguments become variables of a graph of their own; weights are reached as they are
      const variables = operands.map((t, i) => (tensorsIn(xs).includes(t) ? fresh(saved[i]) : t));
      const args = mapTree(xs, (t) => {
        const i = operands.indexOf(t);
        return i < 0 ? t : variables[i];
      });
      const y = replaying(streams, () => withRegion(new Region(true), () => f(...args)));
      const targets = new Set(variables.map((t) => t.edge as Edge));
      const root = y.edge;
      if (root === undefined) return operands.map((t) => zerosLike(t));
      const { nodes } = history(root, targets);
      return withRecording(createGraph, () => {
        const found = walk(within, root, clone(dy), nodes, targets, createGraph);
        return variables.map((t) => found.get(t.edge as Edge) ?? zerosLike(t));
      });
    }),
  );
}
