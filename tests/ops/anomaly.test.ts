// detectAnomaly stops at the first NaN or infinity and says where it came from.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { detectAnomaly, NumericError, noGrad, type Tensor, tensor } from "../../ts-src/index.js";
import { assertRejects, assertThrows } from "../assert-close.js";

test("the first NaN of a forward pass names op, place, shape and the user's line", () => {
  assertThrows(
    () => detectAnomaly(() => tensor([[1, -1]]).log()),
    NumericError,
    /^log: expected a finite output; got NaN at \[0,1\] of float32 \[1,2\], computed at .*anomaly\.test\.ts:\d+:\d+$/,
  );
  assertThrows(() => detectAnomaly(() => tensor([1, 0]).reciprocal()), NumericError, /^reciprocal: .*got Infinity at \[1\]/);
});

test("the first NaN of a backward pass names the derivative and the line of the forward pass", () => {
  const x = tensor([4, 0], { requiresGrad: true });
  assertThrows(
    () => detectAnomaly(() => x.sqrt().sum().backward()),
    NumericError,
    /^backward: the derivative of sqrt, recorded at .*anomaly\.test\.ts:\d+:\d+: div: expected a finite output; got Infinity at \[1\]/,
  );
});

test("numbers that came in as NaN or infinite are nobody's fault", () => {
  assert.ok(Number.isNaN(detectAnomaly(() => tensor([Number.NaN]).mul(2)).item()));
  assert.is(detectAnomaly(() => tensor([Number.POSITIVE_INFINITY]).add(1)).item(), Number.POSITIVE_INFINITY);
  assertThrows(() => detectAnomaly(() => tensor([Number.POSITIVE_INFINITY]).mul(0)), NumericError, /NaN/);
});

test("it watches only while its function runs, an async one until it is done", async () => {
  assertThrows(
    () =>
      detectAnomaly(() => {
        throw new NumericError("mine");
      }),
    NumericError,
    /^mine$/,
  );
  const nan = (): Tensor => noGrad(() => tensor([-1]).log());
  assert.ok(Number.isNaN(nan().item()));
  await assertRejects(
    detectAnomaly(async () => {
      await Promise.resolve();
      nan();
    }),
    NumericError,
    /^log/,
  );
  assert.ok(Number.isNaN(nan().item()));
});

test.run();
