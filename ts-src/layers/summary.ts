// A table of a model's layers.

import { ConfigError } from "../../bindings/errors.js";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import { checkedShape, type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { full } from "../ops/create.js";
import { noGrad } from "../ops/derivatives.js";
import { type AnyModule, Module } from "./module.js";

/** Shapes of what the modules gave, by module. */
type Shapes = Map<AnyModule, string>;

/** Runs a model once in eval(), without a derivative, and notes what each module gives; then all is as before. */
function shapesOf(model: AnyModule, modules: readonly AnyModule[], inputs: readonly Tensor[]): Shapes {
  const shapes: Shapes = new Map();
  const states = modules.map((module) => module.training);
  const own: (PropertyDescriptor | undefined)[] = [];
  try {
    for (const module of modules) {
      module.training = false;
      // a method of the class, or a property of its own, which another hides for the one run
      own.push(Object.getOwnPropertyDescriptor(module, "forward"));
      const forward = module.forward as (...given: never[]) => unknown;
      const watched = (...given: never[]): unknown => {
        const output = forward.apply(module, given);
        shapes.set(module, tensorsIn(output).map((t) => showShape(t.shape)).join(" ")); // biome-ignore format: short
        return output;
      };
      Object.defineProperty(module, "forward", { value: watched, configurable: true, enumerable: false });
    }
    scope(() => noGrad(() => model.forward(...(inputs as never[]))));
  } finally {
    for (const [i, module] of modules.entries()) {
      delete (module as { forward?: unknown }).forward;
      const before = own[i];
      if (before !== undefined) Object.defineProperty(module, "forward", before);
      module.training = states[i];
    }
  }
  return shapes;
}

/** The elements of tensors, each once. */
function elements(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, t) => sum + t.size, 0);
}

const count = (n: number): string => n.toLocaleString("en-US");

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const last = widths.length - 1;
  return rows.map((row) => row.map((cell, i) => (i === last ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  "));
}

/**
 * A table of the layers of a model: name and class, the shape of what it gives, how many parameters are its own; then the sums. `input` is a
 * tensor that the model takes, a list of them, or the shape of a float32 tensor. The model runs once in eval(), and stays as it was.
 * Throws ConfigError, and what the model throws.
 */
export function summary(model: AnyModule, input: Shape | Tensor | readonly Tensor[]): string {
  if (!(model instanceof Module)) throw new ConfigError(`summary: expected a module; got ${showValue(model)}`);
  return scope(() => {
    const modules = model.namedModules();
    const shapes = shapesOf(
      model,
      modules.map(([, module]) => module),
      inputsOf(input),
    );
    // by path, how deep it stands
    const depths = new Map<string, number>();
    const rows = modules.map(([path, module]) => {
      const parent = [...depths.keys()].filter((outer) => outer === "" || path.startsWith(`${outer}.`)).pop() ?? "";
      const depth = path === "" ? 0 : (depths.get(parent) as number) + 1;
      depths.set(path, depth);
      const name = path.slice(parent === "" ? 0 : parent.length + 1);
      const own = Object.values(module).filter((value): value is Tensor => value instanceof Tensor && value.requiresGrad);
      const label = `${"  ".repeat(depth)}${name === "" ? "" : `${name}: `}${module.constructor.name}`;
      return [label, shapes.get(module) ?? "", own.length === 0 ? "" : count(elements(own))];
    });
    const lines = aligned([["layer", "output", "parameters"], ...rows]);
    const rule = "-".repeat(lines[0].length);
    const [trainable, others] = [elements(model.parameters()), elements(model.buffers())];
    const sums = aligned([
      ["trainable parameters", count(trainable)],
      ["buffers and frozen", count(others)],
      ["total", count(trainable + others)],
    ]);
    return [lines[0], rule, ...lines.slice(1), rule, ...sums].map((line) => line.trimEnd()).join("\n");
  });
}

function inputsOf(input: unknown): Tensor[] {
  if (input instanceof Tensor) return [input];
  if (!Array.isArray(input)) throw new ConfigError(`summary: expected a tensor, tensors, or a shape; got ${showValue(input)}`);
  if (input.length > 0 && input.every((item) => item instanceof Tensor)) return input;
  return [full(checkedShape("summary", input), 0)];
}
