// What the cost of derivatives is measured on: chains, fully connected graphs, deep networks, with and without checkpoints.
import { memoryStats } from "../bindings/memory.js";
import { checkpoint, compile, type Graph, grad, gradient, noGrad, type Tensor, tensor, trace } from "../ts-src/index.js";
import { linear } from "../ts-src/ops/matmul.js";
import { type Case, wave } from "./serve.mjs";

const SMALL = 64; // elements of a node, so that ops and not elements cost
const [BATCH, WIDTH] = [128, 128];
const DEEP_WIDTH = 64;

/** n ops, each reading the one before. */
function chain(n: number): (x: Tensor) => Tensor {
  return (x) => {
    let y = x;
    for (let i = 0; i < n; i++) y = y.tanh();
    return y.sum();
  };
}

/** n nodes, each the sum of all earlier ones through a function: n (n - 1) / 2 edges. */
function dense(n: number): (x: Tensor) => Tensor {
  return (x) => {
    const nodes = [x];
    while (nodes.length < n) {
      let sum = nodes[0];
      for (const node of nodes.slice(1)) sum = sum.add(node);
      nodes.push(sum.tanh());
    }
    return nodes[n - 1].sum();
  };
}

/** A weight near the identity: through any depth values and gradients neither vanish nor overflow, which would be slow. */
function weight(n: number, seed: number): Tensor {
  const data = wave(n * n, seed, 0.002 / Math.sqrt(n));
  for (let i = 0; i < n; i++) data[i * n + i] += 1;
  return tensor(data).reshape([n, n]);
}

function positive(rows: number, columns: number): Tensor {
  return tensor(wave(rows * columns, 1, 1).map(Math.abs)).reshape([rows, columns]);
}

type Loss = (parameters: readonly Tensor[]) => Tensor;

const graphs = new Map<string, Graph>();

function small(kind: "chain" | "dense", n: number, what: string): Case {
  const x = tensor(wave(SMALL, 1, 1));
  const f = (kind === "chain" ? chain : dense)(n);
  if (what === "forward") return { step: () => noGrad(() => f(x)).dispose() };
  if (what === "gradient") return { step: () => (grad(f)(x) as Tensor).dispose() };
  const key = `${kind} ${n}`;
  const graph = graphs.get(key) ?? trace(f, x);
  graphs.set(key, graph);
  const made = gradient(graph).stats();
  const { edges } = graph.stats();
  return { step: () => void gradient(graph), finish: () => ({ edges, gradientNodes: made.nodes }) };
}

const networks = new Map<number, { parameters: Tensor[]; loss: Loss }>();

function mlp(depth: number, what: string, compiled: boolean): Case {
  let made = networks.get(depth);
  if (made === undefined) {
    const parameters = Array.from({ length: depth }, (_, i) => [weight(WIDTH, i), tensor(wave(WIDTH, i, 1e-3))]).flat();
    const x = positive(BATCH, WIDTH);
    const loss: Loss = (list) => {
      let y = x;
      for (let i = 0; i < list.length; i += 2) y = linear(y, list[i], list[i + 1]).relu();
      return y.mean();
    };
    made = { parameters, loss };
    networks.set(depth, made);
  }
  const { parameters, loss } = made;
  const derivative = grad(loss) as (list: readonly Tensor[]) => Tensor[];
  if (what === "forward") {
    const call = compiled ? compile(loss as (list: Tensor[]) => Tensor) : (list: Tensor[]) => noGrad(() => loss(list));
    return { step: () => call(parameters).dispose() };
  }
  const call = compiled ? compile(derivative as (list: Tensor[]) => Tensor[]) : derivative;
  return {
    step() {
      for (const t of call(parameters)) t.dispose();
    },
  };
}

/** A chain of layers with one weight; with checkpoints, of about sqrt(depth) segments only the operands are kept, and all of the last one. */
function deep(depth: number, mode: string): Case {
  const [x, w] = [positive(BATCH, DEEP_WIDTH), weight(DEEP_WIDTH, 1)];
  const size = mode === "checkpoint" ? Math.ceil(depth / Math.round(Math.sqrt(depth))) : depth;
  const loss = (own: Tensor): Tensor => {
    let y = x;
    for (let from = 0; from < depth; from += size) {
      const layers = Math.min(size, depth - from);
      const segment = (h: Tensor): Tensor => {
        let z = h;
        for (let i = 0; i < layers; i++) z = z.matmul(own).relu();
        return z;
      };
      y = from + layers < depth ? checkpoint(segment)(y) : segment(y);
    }
    return y.mean();
  };
  const derivative = grad(loss) as (own: Tensor) => Tensor;
  const before = memoryStats.stats().bytes;
  const first = derivative(w);
  const peak = memoryStats.stats().peakBytes - before;
  const sum = first.sum().item();
  first.dispose();
  return { step: () => derivative(w).dispose(), finish: () => ({ peak, sum }) };
}

/** "chain 64 graph", "dense 8 gradient", "mlp 16 forward compiled", "deep 1000 checkpoint". */
export function autodiffCase(name: string): Case {
  const [kind, n, what, compiled] = name.split(" ");
  if (kind === "chain" || kind === "dense") return small(kind, Number(n), what);
  return kind === "mlp" ? mlp(Number(n), what, compiled !== undefined) : deep(Number(n), what);
}
