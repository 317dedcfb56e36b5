// The base of layers: a module's parameters are the tensors among its properties that require a gradient; modules among
// its properties are its children. Names are PyTorch's.

import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { noGrad } from "../ops/derivatives.js";
import { copy_ } from "../ops/inplace.js";

export type StateDict = Record<string, Tensor>;

export abstract class Module {
  /** Whether layers that differ between training and use behave as in training. */
  training = true;

  abstract forward(x: Tensor): Tensor;

  /** The modules that this one is made of, by name. */
  children(): [string, Module][] {
    return Object.entries(this).filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  }

  /** Every parameter with its name, such as "0.weight": own ones first, then those of each child. */
  namedParameters(): [string, Tensor][] {
    const own = Object.entries(this).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor && entry[1].requiresGrad);
    const theirs = this.children().flatMap(([name, child]) => child.namedParameters().map(([rest, p]): [string, Tensor] => [`${name}.${rest}`, p]));
    return [...own, ...theirs];
  }

  parameters(): Tensor[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** The parameters by name: the tensors themselves, not copies. */
  stateDict(): StateDict {
    return Object.fromEntries(this.namedParameters());
  }

  /**
   * Copies the tensors of `state` into the parameters of the same names.
   * Throws ConfigError for a missing or unknown name and for what is no tensor, ShapeError, DtypeError; then nothing was changed.
   */
  loadStateDict(state: StateDict): void {
    if (state === null || typeof state !== "object" || state instanceof Tensor) {
      throw new ConfigError(`loadStateDict: expected tensors by name, as stateDict() gives; got ${showValue(state)}`);
    }
    const own = this.namedParameters();
    const names = new Set(own.map(([name]) => name));
    const missing = [...names].filter((name) => !Object.hasOwn(state, name));
    const unknown = Object.keys(state).filter((name) => !names.has(name));
    if (missing.length > 0 || unknown.length > 0) {
      const parts = [missing.length > 0 ? `missing ${missing.join(", ")}` : "", unknown.length > 0 ? `unknown ${unknown.join(", ")}` : ""];
      throw new ConfigError(`loadStateDict: expected the names ${[...names].join(", ")}; got ${parts.filter(Boolean).join("; ")}`);
    }
    for (const [name, p] of own) {
      const source: unknown = state[name];
      if (!(source instanceof Tensor)) throw new ConfigError(`loadStateDict: expected a tensor for ${name}; got ${showValue(source)}`);
      source.alive(`loadStateDict: ${name}`);
      if (!sameShape(source.shape, p.shape))
        throw new ShapeError(`loadStateDict: expected ${name} of shape ${showShape(p.shape)}; got ${showShape(source.shape)}`);
      if (source.dtype !== p.dtype) throw new DtypeError(`loadStateDict: expected ${name} of dtype ${p.dtype}; got ${source.dtype}`);
    }
    noGrad(() => {
      for (const [name, p] of own) copy_(p, state[name]);
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
}
