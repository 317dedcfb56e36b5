// Derivatives of functions: grad(f), valueAndGrad(f), and code without derivatives.

import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, GradientError } from "../../bindings/errors.js";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import { type Edge, isRecording, withRecording, withStopped } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { activeTracer } from "../../bindings/trace.js";
import { leading } from "./batching.js";
import { checkedOptions } from "./checks.js";
import { clone, detach, withoutHistory } from "./convert.js";
import { onesLike, zerosLike } from "./create.js";
import { asVariable, history, markReached, passing, walk } from "./reverse.js";
import { mapTree, type Tree } from "./tree.js";

/** Runs `fn` without recording and frees all it made except what it returns; `fn` must not be async. */
export function noGrad<T>(fn: () => T): T {
  checkedFunction("noGrad", fn);
  return withStopped(true, () => withRecording(false, () => scope(fn)));
}

/** The same elements without history: the derivative stops here. */
export function stopGradient(x: Tensor): Tensor {
  return detach(x);
}

export interface GradOptions {
  /** The argument to differentiate, the first, 0, by default; of a list of them the gradient is a list. */
  wrt?: number | readonly number[];
}

/**
 * The gradient of a scalar function: grad(f)(...xs) is df/dx for one argument, a tensor or a tree of tensors.
 * Can be nested: grad(grad(f)) is the second derivative of a function of a scalar.
 * Throws GradientError unless f returns one float element.
 */
export function grad<A extends readonly Tree[]>(f: (...xs: A) => Tensor, options: GradOptions & { wrt: readonly number[] }): (...xs: A) => A[number][];
export function grad<A extends readonly Tree[]>(f: (...xs: A) => Tensor, options?: GradOptions): (...xs: A) => A[number];
export function grad<A extends readonly Tree[]>(f: (...xs: A) => Tensor, options: GradOptions = {}): (...xs: A) => A[number] {
  const both = differentiated("grad", f, options);
  return (...xs) => {
    const [value, gradient] = both(...xs);
    value.dispose();
    return gradient;
  };
}

/** As grad, with the value: [f(...xs), df/dx]. */
export function valueAndGrad<A extends readonly Tree[]>(
  f: (...xs: A) => Tensor,
  options: GradOptions & { wrt: readonly number[] },
): (...xs: A) => [Tensor, A[number][]];
export function valueAndGrad<A extends readonly Tree[]>(f: (...xs: A) => Tensor, options?: GradOptions): (...xs: A) => [Tensor, A[number]];
export function valueAndGrad<A extends readonly Tree[]>(f: (...xs: A) => Tensor, options: GradOptions = {}): (...xs: A) => [Tensor, A[number]] {
  return differentiated("valueAndGrad", f, options);
}

function checkedFunction(name: string, f: unknown): void {
  if (typeof f !== "function") throw new ConfigError(`${name}: expected a function; got ${showValue(f)}`);
}

function differentiated<A extends readonly Tree[]>(name: string, f: (...xs: A) => Tensor, options: GradOptions): (...xs: A) => [Tensor, A[number]] {
  checkedFunction(name, f);
  checkedOptions(name, options, ["wrt"]);
  const { wrt = 0 } = options;
  const places: readonly number[] = Array.isArray(wrt) ? [...wrt] : [wrt];
  if (places.length === 0 || !places.every((i) => Number.isInteger(i) && i >= 0) || new Set(places).size < places.length) {
    const got = Array.isArray(wrt) ? `[${wrt.map(String).join(",")}]` : showValue(wrt);
    throw new ConfigError(`${name}: expected wrt, the number of an argument or a list of different ones; got ${got}`);
  }
  return (...xs) => {
    const beyond = places.find((i) => i >= xs.length);
    if (beyond !== undefined) throw new GradientError(`${name}: expected wrt to name one of ${xs.length} arguments; got ${beyond}`);
    for (const i of places) {
      if (tensorsIn(xs[i]).length === 0)
        throw new GradientError(`${name}: expected a tensor, or arrays and objects of tensors, to differentiate; got ${showValue(xs[i])}`);
    }
    const chosen = places.map((i) => xs[i]);
    const given = tensorsIn(chosen);
    for (const t of given) {
      t.alive(name);
      if (!isFloat(t.dtype)) throw new DtypeError(`${name}: expected arguments of dtype float32 or float64; got ${t.dtype}`);
    }
    const recorded = isRecording();
    return passing((pass) =>
      scope((within) =>
        withRecording(true, () => {
          const variables: Tensor[] = [];
          const differentiated = mapTree(chosen, (t) => {
            const variable = fresh(t);
            variables.push(variable);
            return variable;
          });
          const value = f(...(xs.map((x, i) => (places.includes(i) ? differentiated[places.indexOf(i)] : x)) as unknown as A));
          if (!(value instanceof Tensor) || value.size !== 1 || !isFloat(value.dtype)) {
            const got = value instanceof Tensor ? value.describe() : showValue(value);
            throw new GradientError(`${name}: expected a function that returns one float element; got ${got}`);
          }
          const targets = new Set(variables.map((t) => t.edge as Edge));
          const root = value.edge;
          const { nodes, leaves } = root === undefined ? { nodes: [], leaves: new Set() } : history(root, targets);
          // the result can be differentiated again if it depends on more than the variables
          const createGraph = recorded && (leaves.size > 0 || variables.some((t) => t.node !== undefined));
          return withRecording(createGraph, () => {
            const gradients = root === undefined ? new Map<Edge, Tensor>() : walk(within, root, onesLike(value), nodes, targets, createGraph);
            markReached(nodes, pass, createGraph);
            let next = 0;
            const found = mapTree(chosen, (t) => {
              const dx = gradients.get(variables[next++].edge as Edge);
              if (dx === undefined) return zerosLike(t);
              return dx.contiguous ? dx : clone(dx);
            });
            return [createGraph ? value : withoutHistory(value), Array.isArray(wrt) ? found : found[0]] as [Tensor, A[number]];
          });
        }),
      ),
    );
  };
}

/** A handle of t that begins a graph of its own, or continues that of t. */
export function fresh(given: Tensor): Tensor {
  // within vmap a variable is of the tape of examples, also where they share it
  const t = activeTracer()?.mapper?.own(given) ?? given;
  if (t.requiresGrad) return apply(aliasOp, { x: t });
  return asVariable(withoutHistory(t));
}
/** x itself, as the beginning of a graph of its own. */
const aliasOp = op({
  name: "alias",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }) => x.x,
  view: (x) => x,
  saves: [],
  vjp: (dy) => ({ x: () => dy }),
  samples: [],
});
