// The reverse walk: from an output back along the tape, each rule called once, broadcasting undone here and nowhere else.
import { AnomalyError } from "../../bindings/anomaly.js";
import { DisposedError, DtypeError, GradientError, NumericError, ShapeError, VersionError } from "../../bindings/errors.js";
import { anchor, keep, type Scope, scope, twin } from "../../bindings/lifetime.js";
import { share } from "../../bindings/op.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { beginPass, type Edge, endPass, isRecording, type Node, withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { activeTracer, oldGradient, withDeriving } from "../../bindings/trace.js";
import { add } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { clone, withoutHistory } from "./convert.js";
import { onesLike, zerosLike } from "./create.js";
import { add_ } from "./inplace.js";
import { checkedTensor } from "./operands.js";
import { sumTo } from "./reduce.js";

/** The records that lead from `root` back to leaves, newest first, and those leaves; it goes no further than `targets`. */
export function history(root: Edge, targets?: ReadonlySet<Edge>): { nodes: Node[]; leaves: Set<Tensor> } {
  const nodes = new Set<Node>();
  const leaves = new Set<Tensor>();
  const stack: Edge[] = [root];
  for (let edge = stack.pop(); edge !== undefined; edge = stack.pop()) {
    if (targets?.has(edge)) continue;
    if (edge instanceof Tensor) leaves.add(edge);
    else if (!nodes.has(edge)) {
      nodes.add(edge);
      for (const next of edge.edges) if (next !== undefined) stack.push(next);
    }
  }
  return { nodes: [...nodes].sort((a, b) => b.id - a.id), leaves };
}

/** The nodes, oldest first, from which a target can be reached. */
function leading(nodes: readonly Node[], targets: ReadonlySet<Edge>): Set<Edge> {
  const found = new Set<Edge>(targets);
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (nodes[i].edges.some((edge) => edge !== undefined && found.has(edge))) found.add(nodes[i]);
  }
  return found;
}

/**
 * The gradients of `targets`, from `seed`, the gradient of `root`. `nodes` are those between, newest first. A rule's
 * temporaries are freed as soon as it has run. Nodes become spent unless `retain`.
 */
export function walk(within: Scope, root: Edge, seed: Tensor, nodes: readonly Node[], targets: ReadonlySet<Edge>, retain: boolean): Map<Edge, Tensor> {
  return withDeriving(() => walked(within, root, seed, nodes, targets, retain));
}

function walked(within: Scope, root: Edge, seed: Tensor, nodes: readonly Node[], targets: ReadonlySet<Edge>, retain: boolean): Map<Edge, Tensor> {
  const wanted = leading(nodes, targets);
  const gradients = new Map<Edge, Tensor>([[root, seed]]);
  for (const node of nodes) {
    const dy = gradients.get(node);
    if (dy === undefined) continue;
    gradients.delete(node);
    const rule = node.op.vjp;
    if (rule === "none" && wanted.has(node)) {
      throw missing(
        node,
        node.edges.findIndex((edge) => edge !== undefined && wanted.has(edge)),
      );
    }
    if (typeof rule === "function" && wanted.has(node)) {
      const mark = within.mark();
      const results: Tensor[] = [];
      const rules = rule(dy, revived(node), { params: node.params, shapes: named(node.op.inputs, node.shapes) });
      for (const [i, edge] of node.edges.entries()) {
        const gradient = rules[node.op.inputs[i]];
        if (edge === undefined || !wanted.has(edge) || gradient === "zero") continue;
        if (gradient === "none") throw missing(node, i);
        const raw = node.place === "" ? gradient() : traced(node, gradient);
        const fitted = sameShape(raw.shape, node.shapes[i]) ? raw : sumTo(raw, node.shapes[i]);
        const earlier = gradients.get(edge);
        // dy goes after this rule, and one tensor may be the gradient of two operands
        const own = earlier !== undefined ? add(earlier, fitted) : fitted === dy || results.includes(fitted) ? share(fitted) : fitted;
        if (earlier !== undefined) earlier.dispose();
        gradients.set(edge, own);
        results.push(own);
      }
      within.free(mark, results);
    }
    dy.dispose();
  }
  if (!retain) for (const node of nodes) node.spend();
  return gradients;
}

function missing(node: Node, index: number): GradientError {
  const { name, inputs, refuses } = node.op;
  return new GradientError(
    refuses ??
      `backward: ${name} has no derivative with respect to ${inputs[index]}, ${showShape(node.shapes[index])}; use detach() on it, or another function to train on`,
  );
}

/** Runs a rule so that an anomaly in it tells the line of the forward pass. */
function traced(node: Node, gradient: () => Tensor): Tensor {
  try {
    return gradient();
  } catch (error) {
    if (error instanceof AnomalyError) {
      throw new NumericError(`backward: the derivative of ${node.op.name}, recorded at ${node.place}: ${error.message.replace(/, computed at .*/, "")}`);
    }
    throw error;
  }
}

function named<T>(names: readonly string[], values: readonly T[]): { [name: string]: T } {
  const out: { [name: string]: T } = {};
  for (let i = 0; i < names.length; i++) out[names[i]] = values[i];
  return out;
}

/** What the node saved, by name: with new handles where the old ones were disposed, and unchanged since. */
function revived(node: Node): { [name: string]: Tensor } {
  const { name, saves } = node.op;
  // a pass that is not recorded leaves no history; within a vmap that began later, its ops are recorded as those of whole batches
  const forget = !isRecording() && node.mapper !== activeTracer()?.mapper;
  const strip = (t: Tensor): boolean => forget && t.requiresGrad && (node.mapper === undefined || node.mapper.owns(t));
  if (node.spent)
    throw new GradientError(`backward: the graph of ${name} was used and freed; call the first backward with { retainGraph: true } to use it again`);
  const out: { [name: string]: Tensor } = {};
  for (let i = 0; i < saves.length; i++) {
    const saved = node.saved[i];
    if (saved.storage.refs === 0) {
      throw new DisposedError(
        `backward: ${name} needs its ${saves[i]}, ${saved.describe()}, which went with its step; call backward within two passes of the forward`,
      );
    }
    if (saved.storage.version !== node.versions[i]) {
      throw new VersionError(
        `backward: ${name} needs its ${saves[i]}, ${saved.describe()}, at version ${node.versions[i]}, but it was changed in place since and is at version ${saved.storage.version}; change a clone() instead`,
      );
    }
    out[saves[i]] = strip(saved) ? withoutHistory(saved) : saved.disposed ? share(saved) : saved;
  }
  return out;
}

let nesting = 0;

/** Runs a reverse pass; when the outermost one ends, steps that are old enough are freed. */
export function passing<T>(fn: (pass: number) => T): T {
  const pass = beginPass();
  nesting++;
  try {
    return fn(pass);
  } finally {
    if (--nesting === 0) endPass();
  }
}

export function markReached(nodes: readonly Node[], pass: number, retain: boolean): void {
  for (const node of nodes) node.epoch.estate.reached = retain ? Number.POSITIVE_INFINITY : pass;
}

export interface BackwardOptions {
  /** Gradient of the tensor itself; 1 by default, and needed unless it has one element. */
  gradient?: Tensor;
  /** Keep the graph for another backward(). */
  retainGraph?: boolean;
  /** Record the pass itself, so that gradients can be differentiated; keeps the graph too. */
  createGraph?: boolean;
}

/**
 * Adds the derivative of y with respect to each leaf that requires one to the leaf's `grad` (reverse-mode accumulation).
 * Throws GradientError without a graph or with one used before, VersionError, DisposedError, ShapeError, DtypeError, ConfigError.
 */
export function backward(y: Tensor, options: BackwardOptions = {}): void {
  checkedTensor("backward", "y", y);
  y.alive("backward");
  checkedOptions("backward", options, ["gradient", "retainGraph", "createGraph"]);
  if (activeTracer()?.mapper !== undefined)
    throw new GradientError("backward: expected derivatives by grad() of a function within vmap; got backward(), as each example has a gradient for itself");
  const root = y.edge;
  if (root === undefined) {
    throw new GradientError(`backward: expected a tensor computed from one with requiresGrad; got ${y.describe()} made by ${y.origin}, which has no history`);
  }
  const { gradient, createGraph = false, retainGraph = createGraph } = options;
  if (gradient === undefined && y.size !== 1) {
    throw new GradientError(`backward: expected a tensor with one element, or { gradient }; got shape ${showShape(y.shape)}; take sum() or mean()`);
  }
  if (gradient !== undefined) {
    checkedTensor("backward", "gradient", gradient);
    gradient.alive("backward: gradient");
    if (!sameShape(gradient.shape, y.shape)) {
      throw new ShapeError(`backward: expected a gradient of shape ${showShape(y.shape)}; got ${showShape(gradient.shape)}`);
    }
    if (gradient.dtype !== y.dtype) throw new DtypeError(`backward: expected a gradient of dtype ${y.dtype}; got ${gradient.dtype}`);
  }
  passing((pass) =>
    withRecording(createGraph, () =>
      scope((within) => {
        const { nodes, leaves } = history(root);
        for (const leaf of leaves) if (variables.has(leaf)) leaves.delete(leaf);
        const seed = gradient === undefined ? onesLike(y) : share(gradient);
        const gradients = walk(within, root, seed, nodes, leaves, retainGraph);
        for (const leaf of gradients.keys()) (leaf as Tensor).alive("backward");
        for (const [leaf, dx] of gradients) accumulate(leaf as Tensor, dx);
        // what only reaches y through derivatives that are 0 has the gradient 0, not none
        for (const leaf of leaves) if (!gradients.has(leaf) && !leaf.disposed && leaf.grad === undefined) anchor(zerosLike(leaf), leaf);
        markReached(nodes, pass, retainGraph);
      }),
    ),
  );
}

/** Leaves that grad() and its like made for themselves, which want no gradient of anyone else. */
const variables = new WeakSet<Tensor>();

/** Makes a tensor a variable of a derivative. */
export function asVariable(t: Tensor): Tensor {
  t.requiresGrad = true;
  variables.add(t);
  return t;
}

function accumulate(leaf: Tensor, dx: Tensor): void {
  const earlier = leaf.grad;
  if (earlier === undefined || earlier.disposed) {
    // a view or a shared storage would change with its other handles
    if (dx.contiguous && dx.storage.refs === 1) anchor(dx, leaf);
    else anchor((isRecording() ? undefined : twin(dx)) ?? clone(dx), leaf);
  } else if (!isRecording() && !earlier.requiresGrad && activeTracer() === undefined) add_(earlier, dx);
  else {
    if (activeTracer()?.older?.(earlier)) throw oldGradient(leaf);
    const total = add(earlier, dx);
    keep(earlier);
    anchor(total, leaf);
  }
}
