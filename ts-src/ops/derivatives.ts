// Derivatives of functions: grad(f), valueAndGrad(f), and code without derivatives.
import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, GradientError } from "../../bindings/errors.js";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import { apply, op, type Spec, showValue } from "../../bindings/op.js";
import { type Edge, isRecording, withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "./checks.js";
import { clone, detach } from "./convert.js";
import { onesLike, zerosLike } from "./create.js";
import { history, markReached, passing, walk } from "./reverse.js";
import { mapTree, type Tree } from "./tree.js";

/** Runs `fn` without recording and frees all it made except what it returns; `fn` must not be async. */
export function noGrad<T>(fn: () => T): T {
  checkedFunction("noGrad", fn);
  return withRecording(false, () => scope(fn));
}

/** The same elements without history: the derivative stops here. */
export function stopGradient(x: Tensor): Tensor {
  return detach(x);
}

export interface GradOptions {
  /** The argument to differentiate; the first, 0, by default. */
  wrt?: number;
}

/**
 * The gradient of a scalar function: grad(f)(...xs) is df/dx for one argument, a tensor or a tree of tensors.
 * Can be nested: grad(grad(f)) is the second derivative of a function of a scalar.
 * Throws GradientError unless f returns one float element.
 */
export function grad<A extends readonly Tree[]>(f: (...xs: A) => Tensor, options: GradOptions = {}): (...xs: A) => A[number] {
  const both = differentiated("grad", f, options);
  return (...xs) => {
    const [value, gradient] = both(...xs);
    value.dispose();
    return gradient;
  };
}

/** As grad, with the value: [f(...xs), df/dx]. */
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
  if (!Number.isInteger(wrt) || wrt < 0) throw new ConfigError(`${name}: expected wrt, the number of an argument; got ${showValue(wrt)}`);
  return (...xs) => {
    if (wrt >= xs.length) throw new GradientError(`${name}: expected wrt to name one of ${xs.length} arguments; got ${wrt}`);
    const given = tensorsIn(xs[wrt]);
    if (given.length === 0)
      throw new GradientError(`${name}: expected a tensor, or arrays and objects of tensors, to differentiate; got ${showValue(xs[wrt])}`);
    for (const t of given) {
      t.alive(name);
      if (!isFloat(t.dtype)) throw new DtypeError(`${name}: expected arguments of dtype float32 or float64; got ${t.dtype}`);
    }
    const recorded = isRecording();
    return passing((pass) =>
      scope((within) =>
        withRecording(true, () => {
          const variables: Tensor[] = [];
          const argument = mapTree(xs[wrt], (t) => {
            const variable = fresh(t);
            variables.push(variable);
            return variable;
          });
          const value = f(...(xs.map((x, i) => (i === wrt ? argument : x)) as unknown as A));
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
            const gradient = mapTree(xs[wrt], (t) => {
              const dx = gradients.get(variables[next++].edge as Edge);
              if (dx === undefined) return zerosLike(t);
              return dx.contiguous ? dx : clone(dx);
            });
            return [createGraph ? value : detach(value), gradient] as [Tensor, A[number]];
          });
        }),
      ),
    );
  };
}

/** A handle of t that begins a graph of its own, or continues that of t. */
export function fresh(t: Tensor): Tensor {
  if (t.requiresGrad) return apply(aliasOp, { x: t });
  const variable = detach(t);
  variable.requiresGrad = true;
  return variable;
}
/** x itself, as the beginning of a graph of its own. */
const aliasOp = op({
  name: "alias",
  inputs: ["x"],
  shape: (x: { x: Spec }) => x.x,
  view: (x) => x,
  saves: [],
  vjp: (dy) => ({ x: () => dy }),
  samples: [],
});
