// Layers made and loaded with what does not fit: a typed error, and no weight changed.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DisposedError, DtypeError, layers, ShapeError, zeros } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

test("loadStateDict refuses what is no tensor, has no memory, another shape or another dtype, and changes nothing", () => {
  const model = new layers.Linear(3, 2);
  const before = model.parameters().map((p) => [...p.data()]);
  const gone = zeros([2]);
  gone.dispose();
  const refused = (state: unknown, kind: new (message: string) => Error, message: RegExp): void => {
    assertThrows(() => model.loadStateDict(state as layers.StateDict), kind, message);
    assert.equal(
      model.parameters().map((p) => [...p.data()]),
      before,
    );
  };
  const weight = zeros([2, 3]);
  refused(null, ConfigError, /tensors by name, as stateDict\(\) gives; got null/);
  refused(weight, ConfigError, /got a Tensor/);
  refused({ weight: 1, bias: 2 }, ConfigError, /a tensor for weight; got number 1/);
  refused({ weight, bias: null }, ConfigError, /a tensor for bias; got null/);
  refused({ weight, bias: gone }, DisposedError, /bias/);
  refused({ weight, bias: zeros([3]) }, ShapeError, /bias of shape \[2\]; got \[3\]/);
  refused({ weight, bias: zeros([2], { dtype: "float64" }) }, DtypeError, /bias of dtype float32; got float64/);
});

test("Linear refuses options that it does not know", () => {
  const refused = (options: unknown, message: RegExp): void =>
    assertThrows(() => new layers.Linear(4, 3, options as layers.LinearOptions), ConfigError, message);
  refused({ bais: false }, /Linear: expected options bias, dtype; got bais/);
  refused({ bias: 0 }, /true or false for bias; got 0/);
  refused(null, /Linear: expected an object of options/);
  refused({ dtype: "int32" }, /float32 or float64/);
  assertThrows(() => new layers.Linear("4" as unknown as number, 3), ConfigError, /whole number >= 1 for inFeatures; got "4"/);
  assertThrows(() => new layers.Sequential(null as unknown as layers.Module), ConfigError, /module at position 0; got null/);
});

test.run();
