// Derivatives of functions of tensors to tensors: pullback and pushforward, and the matrices made of them. Each is made of
// reverse passes, so one rule an op serves them all; the pushforward is the pullback of the pullback, which is linear.

import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, GradientError, ShapeError } from "../../bindings/errors.js";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import { sameShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { type Edge, isRecording, type Node, withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { add, mul } from "./binary.js";
import { clone, withoutHistory } from "./convert.js";
import { fromBytes, zeros, zerosLike } from "./create.js";
import { fresh, grad } from "./derivatives.js";
import { concat } from "./join.js";
import { sum } from "./reduce.js";
import { history, passing, walk } from "./reverse.js";
import { reshape } from "./shape.js";
import { mapTree, type Tree } from "./tree.js";
import { vmap } from "./vmap.js";

type AnyFunction = (...xs: never[]) => Tree;

/** Arguments as f takes them: jvp(f, [a, b], [u, v]) serves f([a, b]) and f(a, b); `apart` if they came one by one. */
function called(name: string, f: AnyFunction, x: Tree, apart = false): Tree {
  if (typeof f !== "function") throw new ConfigError(`${name}: expected a function; got ${showValue(f)}`);
  const g = f as unknown as (...xs: readonly Tree[]) => Tree;
  return Array.isArray(x) && (apart || f.length > 1) ? g(...x) : g(x);
}

function checkedArguments(name: string, x: unknown): void {
  const found = tensorsIn(x);
  if (found.length === 0) throw new ConfigError(`${name}: expected a tensor, or an array or object of tensors; got ${showValue(x)}`);
  for (const t of found) {
    t.alive(name);
    if (!isFloat(t.dtype)) throw new DtypeError(`${name}: expected arguments of dtype float32 or float64; got ${t.describe()}`);
  }
}

/** Throws unless `given` is a tree of the same tensors' shapes and dtypes. */
function checkedCotangent(name: string, what: string, given: unknown, like: Tree): Tensor[] {
  const [have, want] = [tensorsIn(given), tensorsIn(like)];
  if (have.length !== want.length) throw new ShapeError(`${name}: expected ${what} of ${want.length} tensors; got ${have.length}`);
  for (const [i, t] of have.entries()) {
    t.alive(name);
    if (!sameShape(t.shape, want[i].shape) || t.dtype !== want[i].dtype)
      throw new ShapeError(`${name}: expected ${what} ${want[i].describe()}; got ${t.describe()}`);
  }
  return have;
}

function prolong(nodes: readonly Node[], pass: number): void {
  for (const node of nodes) node.epoch.estate.prolong(pass);
}

/** Sum over pairs of sum(a b), a scalar. */
function inner(as: readonly Tensor[], bs: readonly Tensor[]): Tensor {
  let total: Tensor | undefined;
  for (const [i, a] of as.entries()) {
    const part = sum(mul(a, bs[i]));
    total = total === undefined ? part : add(total, part);
  }
  return total as Tensor;
}

/**
 * The value of f at x, and its pullback, which takes a cotangent of the value's shape to that of x: dy -> (df/dx)^T dy.
 * x is a tensor or a tree; vjp(f, [a, b]) pulls back to [da, db]. The pullback may be called many times, until the sixteenth
 * reverse pass after its last call; then a call throws DisposedError.
 * Throws ConfigError, DtypeError; the pullback ShapeError.
 */
export function vjp<X extends Tree>(f: AnyFunction, x: X): [value: Tree, pullback: (dy: Tree) => X];
export function vjp(f: AnyFunction, ...xs: Tree[]): [value: Tree, pullback: (dy: Tree) => Tree];
export function vjp(f: AnyFunction, ...xs: Tree[]): [value: Tree, pullback: (dy: Tree) => Tree] {
  const x: Tree = xs.length === 1 ? xs[0] : xs;
  checkedArguments("vjp", x);
  const recorded = isRecording();
  return passing((pass) =>
    scope(() =>
      withRecording(true, () => {
        const variables: Tensor[] = [];
        const argument = mapTree(x, (t) => {
          const variable = fresh(t);
          variables.push(variable);
          return variable;
        });
        const made = called("vjp", f, argument, xs.length > 1);
        const outputs = tensorsIn(made);
        if (outputs.length === 0) throw new GradientError(`vjp: expected a function that returns tensors; got ${showValue(made)}`);
        const targets = new Set(variables.map((t) => t.edge as Edge));
        const graphs = outputs.map((y) => {
          const root = y.edge;
          const { nodes, leaves } = root === undefined ? { nodes: [], leaves: new Set<Tensor>() } : history(root, targets);
          prolong(nodes, pass);
          return { root, nodes, outer: leaves.size > 0 };
        });
        // recorded again if the result depends on more than the variables
        const nested = recorded && (graphs.some((g) => g.outer) || variables.some((t) => t.node !== undefined));
        const value = nested ? made : withRecording(false, () => mapTree(made, withoutHistory));
        const pullback = (dy: Tree): Tree => {
          const cotangents = checkedCotangent("vjp", "a cotangent", dy, value);
          const createGraph = isRecording() && (nested || cotangents.some((t) => t.requiresGrad));
          return passing((again) =>
            scope((within) =>
              withRecording(createGraph, () => {
                const gradients = new Map<Edge, Tensor>();
                for (const [i, { root, nodes }] of graphs.entries()) {
                  if (root === undefined) continue;
                  prolong(nodes, again);
                  for (const [edge, dx] of walk(within, root, clone(cotangents[i]), nodes, targets, true)) {
                    const earlier = gradients.get(edge);
                    gradients.set(edge, earlier === undefined ? dx : add(earlier, dx));
                  }
                }
                let next = 0;
                return mapTree(x, (t) => {
                  const dx = gradients.get(variables[next++].edge as Edge);
                  if (dx === undefined) return zerosLike(t);
                  return dx.contiguous ? dx : clone(dx);
                });
              }),
            ),
          );
        };
        return [value, pullback] as [Tree, (dy: Tree) => Tree];
      }),
    ),
  );
}

/**
 * The value of f at x and its derivative along v: [f(x), (df/dx) v]. x and v are tensors or trees of the same shapes.
 * The pullback u -> (df/dx)^T u is linear, and its own pullback is the pushforward. Throws ConfigError, DtypeError, ShapeError.
 */
export function jvp(f: AnyFunction, x: Tree, v: Tree): [value: Tree, tangent: Tree] {
  checkedArguments("jvp", x);
  const tangents = checkedCotangent("jvp", "a tangent", v, x);
  return scope(() => {
    const [value, pullback] = vjp(f, x);
    const zero = mapTree(value, (t) => zerosLike(t));
    const [, pushforward] = vjp((u: Tree) => tensorsIn(pullback(u)), zero);
    const tangent = pushforward(tangents);
    // the pullback depends on variables of its own, the result need not depend on any
    const tracked = [...tensorsIn(value), ...tensorsIn(tangents)].some((t) => t.requiresGrad);
    return [value, tracked ? tangent : withRecording(false, () => mapTree(tangent, withoutHistory))] as [Tree, Tree];
  });
}

/**
 * The matrix of all derivatives of a function with respect to its first argument, a tensor: jacobian(f)(x, ...rest) has
 * shape [...out, ...in]. One reverse pass for every 64 outputs, by vmap of the pullback. Throws GradientError unless f returns a float tensor.
 */
export function jacobian<R extends readonly unknown[] = []>(f: (x: Tensor, ...rest: R) => Tensor): (x: Tensor, ...rest: R) => Tensor {
  return (x, ...rest) => {
    if (!(x instanceof Tensor)) throw new ConfigError(`jacobian: expected a tensor; got ${showValue(x)}`);
    if (typeof f !== "function") throw new ConfigError(`jacobian: expected a function; got ${showValue(f)}`);
    return scope(() => {
      const [value, pullback] = vjp((at: Tensor) => f(at, ...rest), x);
      if (!(value instanceof Tensor) || !isFloat(value.dtype)) {
        const got = value instanceof Tensor ? value.describe() : showValue(value);
        throw new GradientError(`jacobian: expected a function that returns a float tensor; got ${got}`);
      }
      if (value.size === 0) return zeros([...value.shape, ...x.shape], { dtype: value.dtype });
      const mapped = vmap(pullback as (dy: Tensor) => Tensor);
      const parts: Tensor[] = [];
      for (let first = 0; first < value.size; first += ROWS) {
        const count = Math.min(ROWS, value.size - first);
        parts.push(mapped(units(value, first, count)));
      }
      return reshape(parts.length === 1 ? parts[0] : concat(parts), [...value.shape, ...x.shape]);
    });
  };
}

/** Rows of a jacobian that one reverse pass computes: more would hold more intermediate results at a time. */
const ROWS = 64;

/** Tensors shaped as `like` with 1 at one element each, of `count` elements from `first` on, and else 0. */
function units(like: Tensor, first: number, count: number): Tensor {
  const data = like.dtype === "float64" ? new Float64Array(count * like.size) : new Float32Array(count * like.size);
  for (let i = 0; i < count; i++) data[i * like.size + first + i] = 1;
  return fromBytes(new Uint8Array(data.buffer), like.dtype, [count, ...like.shape]);
}

/** The second derivatives of a scalar function with respect to its first argument, a tensor: hessian(f)(x, ...rest) has shape [...in, ...in]. */
export function hessian<R extends readonly Tree[] = []>(f: (x: Tensor, ...rest: R) => Tensor): (x: Tensor, ...rest: R) => Tensor {
  return jacobian((x: Tensor, ...rest: R) => grad(f as (...xs: Tree[]) => Tensor)(x, ...rest) as Tensor);
}

/**
 * The second derivative of a scalar function along v, without the matrix: (d2f/dx2) v, by differentiating <df/dx, v>
 * (Pearlmutter 1994). x and v are tensors or trees of the same shapes; hvp(f, [a, b], [u, v]) serves f([a, b]) and f(a, b).
 */
export function hvp<X extends Tree>(f: (x: X) => Tensor, x: X, v: X): X;
export function hvp<A extends readonly Tree[]>(f: (...xs: A) => Tensor, xs: A, v: A): A;
export function hvp(f: AnyFunction, x: Tree, v: Tree): Tree {
  checkedArguments("hvp", x);
  const along = checkedCotangent("hvp", "a direction", v, x);
  const scalar = (at: Tree): Tensor => called("hvp", f, at) as Tensor;
  return grad((at: Tree) => inner(tensorsIn(grad(scalar)(at)), along))(x);
}
