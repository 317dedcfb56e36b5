// The exponent that a benchmark prints is that of the law in its points.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { slope } from "../../bench/fit.js";

test("the slope of c x^k is k, whatever c", () => {
  for (const k of [0, 0.5, 1, 2, -1.5]) {
    for (const c of [1e-6, 1, 300]) {
      const points = [1, 3, 10, 40, 1000].map((x) => ({ x, y: c * x ** k }));
      assert.ok(Math.abs(slope(points) - k) < 1e-12, `${slope(points)} instead of ${k}`);
    }
  }
});

test("it is the least-squares line: symmetric noise does not move it", () => {
  const points = [
    [1, 2],
    [1, 1 / 2],
    [Math.E, Math.E * 2],
    [Math.E, Math.E / 2],
  ].map(([x, y]) => ({ x, y }));
  assert.ok(Math.abs(slope(points) - 1) < 1e-12);
});

test("one point, or one without a logarithm, is an error", () => {
  assert.throws(() => slope([{ x: 1, y: 1 }]), /expected two points or more; got 1/);
  assert.throws(() => slope([{ x: 1, y: 1 }, { x: 2, y: 0 }]), /expected positive points; got \(2, 0\)/); // biome-ignore format: one call
});

test.run();
