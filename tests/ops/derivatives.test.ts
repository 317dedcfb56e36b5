// What the functions of derivatives refuse: with a typed error that names them, before anything was computed.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  ConfigError,
  DisposedError,
  DtypeError,
  GradientError,
  grad,
  gradcheck,
  noGrad,
  ops,
  ShapeError,
  type Tensor,
  tensor,
  valueAndGrad,
} from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

/** Anything at all, as a program without types may pass it. */
const any = (value: unknown): never => value as never;
const square = (x: Tensor): Tensor => x.square().sum();

test("grad and valueAndGrad take a function, the number of an argument, and tensors", () => {
  const x = tensor([1, 2]);
  assertThrows(() => grad(any(5)), ConfigError, /^grad: expected a function; got number 5$/);
  assertThrows(() => valueAndGrad(any(null)), ConfigError, /^valueAndGrad: expected a function; got null$/);
  assertThrows(() => grad(square, any(null)), ConfigError, /grad: expected an object of options \(wrt\); got null/);
  assertThrows(() => grad(square, any({ argument: 1 })), ConfigError, /wrt; got argument/);
  for (const wrt of ["length", "0", -1, 0.5]) assertThrows(() => grad(square, any({ wrt })), ConfigError, /wrt, the number of an argument/);
  assertThrows(() => grad(square, { wrt: 1 })(x), GradientError, /one of 1 arguments; got 1/);
  assertThrows(() => grad(square)(any(3)), GradientError, /expected a tensor.*got number 3/);
  assertThrows(() => grad(any(() => undefined))(x), GradientError, /returns one float element; got undefined/);
  assert.equal(grad(square)(x).toArray(), [2, 4]);
});

test("noGrad takes a function", () => {
  assertThrows(() => noGrad(any(tensor(1))), ConfigError, /noGrad: expected a function; got a Tensor/);
});

test("gradcheck takes a function, an array of float64 tensors, and options that it knows", () => {
  const x = tensor([1, 2], { dtype: "float64" });
  assertThrows(() => gradcheck(any(5), [x]), ConfigError, /gradcheck: expected a function/);
  assertThrows(() => gradcheck(square, any(x)), ConfigError, /array of tensors.*got a Tensor/);
  assertThrows(() => gradcheck(square, any([1])), DtypeError, /tensor for argument 0; got number 1/);
  assertThrows(() => gradcheck(square, [x], any(null)), ConfigError, /object of options/);
  assertThrows(() => gradcheck(square, [x], any({ tolerance: 1 })), ConfigError, /order, rtol, atol, seed; got tolerance/);
  assertThrows(() => gradcheck(square, [x], any({ rtol: "1" })), ConfigError, /rtol >= 0; got string 1/);
  assertThrows(
    () =>
      gradcheck(
        any(() => 1),
        [x],
      ),
    GradientError,
    /returns a tensor; got none/,
  );
  assert.ok(gradcheck(square, [x]));
});

test("backward takes a live gradient of the output's shape and dtype, and options that it knows", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const gone = tensor([1, 1]);
  gone.dispose();
  const refused = (options: unknown, kind: new (message: string) => Error, message: RegExp): void => {
    assertThrows(() => w.mul(3).backward(any(options)), kind, message);
    assert.is(w.grad, undefined);
  };
  refused({ gradient: 1 }, DtypeError, /backward: expected a tensor for gradient; got number 1/);
  refused({ gradient: [1, 1] }, DtypeError, /got an array/);
  refused({ gradient: gone }, DisposedError, /backward: gradient/);
  refused({ gradient: tensor([1]) }, ShapeError, /gradient of shape \[2\]; got \[1\]/);
  refused({ gradient: tensor([1, 1], { dtype: "float64" }) }, DtypeError, /gradient of dtype float32; got float64/);
  refused({ retain: true }, ConfigError, /gradient, retainGraph, createGraph; got retain/);
  refused(null, ConfigError, /object of options/);
  refused(tensor([1, 1]), ConfigError, /expected an object of options \(gradient, retainGraph, createGraph\); got a tensor/);
  w.mul(3).backward({ gradient: tensor([1, 10]) });
  assert.equal(w.grad?.toArray(), [3, 30]);
});

test("grad of a leaf may be reset to null or undefined, and takes nothing but a tensor like the leaf", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  for (const none of [null, undefined]) {
    w.grad = none;
    assert.is(w.grad, undefined);
    w.square().sum().backward();
    assert.equal((w.grad as unknown as Tensor).toArray(), [2, 4]);
  }
  assertThrows(() => (w.grad = any([1, 2])), DtypeError, /grad: expected a tensor, undefined or null; got object/);
  assertThrows(() => (w.grad = tensor([1, 2], { dtype: "float64" })), DtypeError, /grad: expected .* float32; got float64/);
  assertThrows(() => (w.grad = tensor([1])), ShapeError, /grad: expected .* \[2\]; got \[1\]/);
  assertThrows(() => (w.requiresGrad = any("yes")), ConfigError, /requiresGrad: expected true or false/);
});

test("a leaf whose every derivative is 0 gets a gradient of zeros, and keeps one that it has", () => {
  const w = tensor([1.5, 2], { requiresGrad: true });
  w.floor().sum().backward();
  assert.equal((w.grad as unknown as Tensor).toArray(), [0, 0]);
  w.square().sum().backward();
  w.sign().sum().backward();
  assert.equal((w.grad as unknown as Tensor).toArray(), [3, 4]);
});

test("wrt may be a list of arguments, and the gradient is then a list", () => {
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];
  const f = (p: Tensor, q: Tensor): Tensor => p.square().mul(q).sum();
  const both = grad(f, { wrt: [1, 0] })(a, b).map((t) => t.toArray());
  assert.equal(both, [[1, 4], [6, 16]]); // biome-ignore format: pairs
  assert.equal(grad(f, { wrt: [1] })(a, b)[0].toArray(), [1, 4]);
  for (const wrt of [[], [0, 0], [0.5], ["0"]]) assertThrows(() => grad(f, { wrt: any(wrt) }), ConfigError, /grad: expected wrt/);
  assertThrows(() => grad(f, { wrt: [0, 2] })(a, b), GradientError, /one of 2 arguments; got 2/);
});

test("the second derivative of x^0 is 0, at 0 too", () => {
  const x = tensor(0, { dtype: "float64" });
  assert.is((grad((t: Tensor) => grad((u: Tensor) => u.pow(0))(t) as Tensor)(x) as Tensor).item(), 0);
});

test("the map of declarations cannot be changed", () => {
  const map = ops as unknown as Map<string, unknown>;
  for (const change of [() => map.set("add", 1), () => map.delete("add"), () => map.clear()]) assertThrows(change, ConfigError, /^ops: .*read-only/);
  assert.is(ops.get("add")?.name, "add");
});

test.run();
