// The base of layers. Tensors among a module's properties are its state, named as in PyTorch: those that require a gradient
// are parameters, the others buffers. Modules among its properties, or in arrays among them, are its children.

import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { clone, detach } from "../ops/convert.js";
import { noGrad } from "../ops/derivatives.js";
import { copy_ } from "../ops/inplace.js";

export type StateDict = Record<string, Tensor>;

/** A module whatever it takes and gives. */
export type AnyModule = Module<never[], unknown>;

/** `Inputs` and `Output` are those of forward(); one tensor each by default, as in a Sequential and in train.fit(). */
export abstract class Module<Inputs extends unknown[] = [x: Tensor], Output = Tensor> {
  /** Whether layers that differ between training and use behave as in training. */
  training = true;

  abstract forward(...inputs: Inputs): Output;

  /** The modules that this one is made of, by name; those in an array as "layers.0", "layers.1". */
  children(): [string, AnyModule][] {
    return Object.entries(this).flatMap(([name, value]): [string, AnyModule][] => {
      if (value instanceof Module) return [[name, value]];
      if (!Array.isArray(value)) return [];
      return value.flatMap((item, i): [string, AnyModule][] => (item instanceof Module ? [[`${name}.${i}`, item]] : []));
    });
  }

  /** This module, named "", and all that it is made of, by path, in the order of children(); one that is shared stands once. */
  namedModules(): [string, AnyModule][] {
    const found = new Map<AnyModule, string>();
    const visit = (module: AnyModule, path: string): void => {
      if (found.has(module)) return;
      found.set(module, path);
      for (const [name, child] of module.children()) visit(child, path === "" ? name : `${path}.${name}`);
    };
    visit(this, "");
    return [...found].map(([module, path]) => [path, module]);
  }

  /** Every parameter with its name, such as "0.weight": own ones first, then those of each child; one that is shared stands once. */
  namedParameters(): [string, Tensor][] {
    return once(this.namedState().filter(([, t]) => t.requiresGrad));
  }

  parameters(): Tensor[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** Every tensor of the state that requires no gradient, such as running statistics, with its name; one that is shared stands once. */
  namedBuffers(): [string, Tensor][] {
    return once(this.namedState().filter(([, t]) => !t.requiresGrad));
  }

  buffers(): Tensor[] {
    return this.namedBuffers().map(([, b]) => b);
  }

  /** Parameters and buffers by name, PyTorch's: the tensors themselves, not copies; one that is shared stands under each of its names. */
  stateDict(): StateDict {
    return Object.fromEntries(this.namedState());
  }

  /** The tensors of this module, parameters before buffers, then those of each child. */
  private namedState(): [string, Tensor][] {
    const own = Object.entries(this).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor);
    const theirs = this.children().flatMap(([name, child]) => child.namedState().map(([rest, t]): [string, Tensor] => [`${name}.${rest}`, t]));
    return [...own.filter(([, t]) => t.requiresGrad), ...own.filter(([, t]) => !t.requiresGrad), ...theirs];
  }

  /**
   * Copies the tensors of `state` into the parameters and buffers of the same names.
   * Throws ConfigError that lists missing and unexpected names, and for what is no tensor, ShapeError, DtypeError; then nothing was changed.
   */
  loadStateDict(state: StateDict): void {
    if (state === null || typeof state !== "object" || state instanceof Tensor) {
      throw new ConfigError(`loadStateDict: expected tensors by name, as stateDict() gives; got ${showValue(state)}`);
    }
    const own = this.namedState();
    const names = new Set(own.map(([name]) => name));
    const missing = [...names].filter((name) => !Object.hasOwn(state, name));
    const unexpected = Object.keys(state).filter((name) => !names.has(name));
    if (missing.length > 0 || unexpected.length > 0) {
      const parts = [missing.length > 0 ? `missing ${missing.join(", ")}` : "", unexpected.length > 0 ? `unexpected ${unexpected.join(", ")}` : ""];
      throw new ConfigError(`loadStateDict: expected the names ${[...names].join(", ") || "of no tensor"}; got ${parts.filter(Boolean).join("; ")}`);
    }
    for (const [name, t] of own) {
      const source: unknown = state[name];
      if (!(source instanceof Tensor)) throw new ConfigError(`loadStateDict: expected a tensor for ${name}; got ${showValue(source)}`);
      source.alive(`loadStateDict: ${name}`);
      if (!sameShape(source.shape, t.shape))
        throw new ShapeError(`loadStateDict: expected ${name} of shape ${showShape(t.shape)}; got ${showShape(source.shape)}`);
      if (source.dtype !== t.dtype) throw new DtypeError(`loadStateDict: expected ${name} of dtype ${t.dtype}; got ${source.dtype}`);
    }
    noGrad(() => {
      for (const [name, t] of own) copy_(t, state[name]);
    });
  }

  /** Switches this module and its children to training, or to use with `on` false; answers it. */
  train(on = true): this {
    this.training = on;
    for (const [, child] of this.children()) child.train(on);
    return this;
  }

  /** Switches this module and its children to use; answers it. */
  eval(): this {
    return this.train(false);
  }

  /** A module like this one with copies of all tensors; what is shared within it is shared within the copy. */
  clone(): this {
    return new Copies().of(this);
  }
}

/** The entries whose tensor did not stand before. */
function once(entries: readonly [string, Tensor][]): [string, Tensor][] {
  const seen = new Set<Tensor>();
  return entries.filter(([, t]) => !seen.has(t) && seen.add(t));
}

/** Copies of modules and their tensors, one of each. */
class Copies {
  private readonly made = new Map<unknown, unknown>();

  of<T>(value: T): T {
    if (!(value instanceof Tensor || value instanceof Module || Array.isArray(value))) return value;
    let copy = this.made.get(value);
    if (copy === undefined) {
      copy = value instanceof Tensor ? copied(value) : Array.isArray(value) ? value.map((item) => this.of(item)) : this.module(value);
      this.made.set(value, copy);
    }
    return copy as T;
  }

  private module<M extends AnyModule>(module: M): M {
    const copy = Object.create(Object.getPrototypeOf(module)) as M;
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
      Object.defineProperty(copy, name, "value" in property ? { ...property, value: this.of(property.value) } : property);
    }
    return copy;
  }
}

function copied(t: Tensor): Tensor {
  const copy = keep(noGrad(() => clone(detach(t))));
  if (t.requiresGrad) copy.requiresGrad = true;
  return copy;
}
