// The problem of tests/fixtures/optim/optim.py: curvature (w - 3)^2 / 2 for each weight, with noise that only whole numbers make.
import * as tapir from "../../ts-src/index.js";

const { optim, tensor } = tapir;
type T = tapir.Tensor;
export type Settings = Record<string, unknown>;
type DType = "float32" | "float64";

function places(n: number, parameter: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 31 * parameter);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The parameters at their start. */
export function parameters(shapes: readonly (readonly number[])[], dtype: DType): T[] {
  return shapes.map((shape, i) => {
    const data = places(sizeOf(shape), i).map((k) => 1 + ((k * 37) % 101) / 101);
    return tensor(tensor(data, { dtype }).reshape([...shape]), { requiresGrad: true });
  });
}

const curvature = (k: number): number => 0.5 + ((k * 53) % 97) / 97;
const noise = (k: number, t: number): number => ((k * 7919 + t * 104729) % 1009) / 1009 - 0.5;

/** Gives parameters the gradient of step t, from 1. */
export function giveGradients(ps: readonly T[], t: number): void {
  for (const [i, p] of ps.entries()) {
    const w = p.data();
    const g = places(p.size, i).map((k, j) => curvature(k) * (w[j] - 3) + noise(k, t));
    p.mul(tensor(g, { dtype: p.dtype }).reshape([...p.shape]))
      .sum()
      .backward();
  }
}

/** The noise of step t, as the argument of a step that may be compiled. */
export function noiseOf(ps: readonly T[], t: number): T[] {
  return ps.map((p, i) => tensor(places(p.size, i).map((k) => noise(k, t)), { dtype: p.dtype }).reshape([...p.shape])); // biome-ignore format: short
}

/** A training step by ops, which may be compiled. */
export function trainingStep(ps: readonly T[], optimizer: { step(): unknown; zeroGrad(): void }, then: () => void = () => undefined): (noise: T[]) => T {
  const factors = ps.map((p, i) => tensor(places(p.size, i).map(curvature), { dtype: p.dtype }).reshape([...p.shape]));
  return (noises) => {
    optimizer.zeroGrad();
    const parts = ps.map((p, i) => p.sub(3).square().mul(factors[i]).mul(0.5).add(p.mul(noises[i])).sum());
    const loss = parts.reduce((a, b) => a.add(b));
    loss.backward();
    optimizer.step();
    then();
    return loss;
  };
}

type Make = (params: T[] | { params: T[] }[], settings: Settings) => tapir.optim.Optimizer<tapir.optim.CommonSettings, unknown>;

/** The optimizers by name. */
export const makers = Object.fromEntries(
  (["SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "AMSGrad", "Adamax", "NAdam", "RAdam", "Lion", "Muon", "FullMatrixAdagrad"] as const).map(
    (name) => {
      const Class = optim[name] as unknown as new (...args: Parameters<Make>) => ReturnType<Make>;
      return [name, (params, settings) => new Class(params, settings)] as [string, Make];
    },
  ),
);
