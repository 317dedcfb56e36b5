// Compiled functions do what the functions do, where they change memory, draw numbers, fail, or take more than tensors.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { compile, noGrad, ones, optim, tensor } = tapir;
type T = tapir.Tensor;

/** The results of three calls, eager and compiled, each on state of its own. */
function alike(make: () => (...xs: T[]) => T | T[], ...xs: T[]): void {
  const [eager, compiled] = [(f: (...ts: T[]) => T | T[]) => f, compile as unknown as (f: (...ts: T[]) => T | T[]) => (...ts: T[]) => T | T[]].map((how) => {
    const call = how(make());
    return [0, 1, 2].map(() => [call(...xs)].flat().map((t) => [...t.data()]));
  });
  assert.equal(compiled, eager);
}

test("what is read before a change of memory is what was there before, whatever arithmetic makes it nothing", () => {
  const x = tensor([5, 6]);
  for (const keep of [(w: T) => w.mul(1), (w: T) => w.div(1), (w: T) => w.sub(0), (w: T) => w.neg().neg(), (w: T) => w.reshape([2, 1]).mul(1).reshape([2])]) {
    // biome-ignore format: short
    alike(() => {
      const w = tensor([1, 2]);
      return (t) => {
        const before = keep(w);
        w.add_(10);
        return [before.add(t), before];
      };
    }, x);
  }
});

test("numbers of any size are numbers in chains on large tensors, not addresses", () => {
  tapir.configure({ threads: 1 });
  const x = tapir.rand([1024, 1024]).mul(8);
  const far = 2 ** 33;
  for (const [low, high] of [
    [0, null],
    [0, Number.POSITIVE_INFINITY],
    [1, far],
    [Number.NEGATIVE_INFINITY, 5],
  ] as [number, number | null][]) {
    const f = (t: T): T => tapir.clamp(t.mul(2), low, high).exp();
    assert.ok(Buffer.from(compile(f)(x).data().buffer).equals(Buffer.from(f(x).data().buffer)), `${low} to ${high}`);
  }
  const y = x.to("float64").mul(far * 8);
  for (const k of [1, 2, 3, 4, 5]) {
    const f = (t: T): T => tapir.clamp(t.mul(2).abs(), 0, far * k).add(1);
    assert.ok(Buffer.from(compile(f)(y).data().buffer).equals(Buffer.from(f(y).data().buffer)), `2^33 * ${k}`);
  }
});

test("a number of the function's own that it changes in place is no constant in its arithmetic", () => {
  const x = tensor([5, 6]);
  for (const use of [(t: T, s: T) => t.mul(s), (t: T, s: T) => t.div(s), (t: T, s: T) => s.mul(t)]) {
    alike(
      () => (t) => {
        const s = ones([1]);
        s.add_(1);
        return use(t, s);
      },
      x,
    );
  }
});

test("a result is never the argument itself, and views that arithmetic leaves are results of their own", () => {
  const x = ones([2, 3]);
  const same = compile((t: T) => t.mul(1))(x);
  same.add_(5);
  assert.equal(x.toArray(), ones([2, 3]).toArray());
  alike(() => (t) => [t.flip().mul(1), t.transpose(0, 1).div(1)], x);
});

test("tensors that JavaScript fills within the function are the same in a program: one-hot rows, numbers in ops of one's own", () => {
  const index = tensor(Int32Array.of(0, 2, 1));
  alike(() => (i) => [tapir.oneHot(i, 3), tapir.oneHot(i, 4, { dtype: "int32" })], index);
  const triple = tapir.customOp({ name: "tripleOfFaithful", inputs: ["x"], forward: ({ x }) => x.mul(3).add(1), saves: [], vjp: "none" });
  alike(() => (t) => triple(t), ones([4]));
});

test("what an op of one's own reaches stays while its program does", () => {
  const w = tensor(Float32Array.from({ length: 64 }, (_, i) => i));
  const times = tapir.customOp({ name: "timesOfFaithful", inputs: ["x"], forward: ({ x }) => x.mul(w), saves: [], vjp: "none" });
  const call = compile((t: T) => times(t));
  const x = ones([64]);
  const first = call(x).sum().item();
  w.dispose();
  const others = Array.from({ length: 50 }, () => tapir.full([64], 777));
  assert.is(call(x).sum().item(), first);
  for (const t of others) t.dispose();
  call.dispose();
});

test("a gradient from before the function is an error, as each run would add it again", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const optimizer = new optim.SGD([w], { lr: 1 });
  const x = ones([2]);
  w.mul(x).sum().backward();
  const step = (clear: boolean) =>
    compile((t: T) => {
      if (clear) optimizer.zeroGrad();
      const loss = w.mul(t).sum();
      loss.backward();
      optimizer.step();
      return loss;
    });
  assertThrows(() => step(false)(x), tapir.ConfigError, /^trace: expected leaves without a gradient from before.*call zeroGrad\(\)/);
  assert.is(step(true)(x).item(), 3);
  assert.equal(w.toArray(), [0, 1]);
});

test("the gradient that a loss is given is read where it is used, also of a cross-entropy", () => {
  alike(
    () => {
      const [w, g] = [tensor([[1, 2], [3, 4]], { requiresGrad: true }), tensor(1)]; // biome-ignore format: a matrix
      return (t, target) => {
        w.grad = undefined;
        const loss = tapir.crossEntropy(t.mul(w), target);
        noGrad(() => g.mul_(2));
        loss.backward({ gradient: g });
        return [loss, (w.grad as unknown as T).clone()];
      };
    },
    ones([2, 2]),
    tensor(Int32Array.of(0, 1)),
  );
});

test("arguments that differ in functions, objects, strings or the sign of zero have plans of their own", () => {
  const x = tensor([1, 2]);
  const times = (k: number) => (t: T) => t.mul(k);
  const call = compile((t: T, f: unknown) => (f as (u: T) => T)(t));
  assert.equal([call(x, times(2)).toArray(), call(x, times(3)).toArray()], [[2, 4], [3, 6]]); // biome-ignore format: short
  const layer = compile((m: unknown, t: T) => (m as { forward(u: T): T }).forward(t));
  const [one, two] = [new tapir.layers.Linear(2, 2), new tapir.layers.Linear(2, 2)];
  layer(one, x);
  assert.equal(layer(two, x).toArray(), two.forward(x).toArray());
  const zero = compile((t: T, k: unknown) =>
    t
      .mul(0)
      .add(k as number)
      .reciprocal(),
  );
  assert.equal([zero(x, 0).data()[0], zero(x, -0).data()[0]], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  const kind = compile((t: T, k: unknown) => t.mul(typeof k === "string" ? 10 : 1));
  assert.equal([kind(x, 1).toArray(), kind(x, "1").toArray()], [[1, 2], [10, 20]]); // biome-ignore format: short
  const loop: { self?: unknown } = {};
  loop.self = loop;
  assertThrows(() => kind(x, loop), tapir.ConfigError, /contains itself/);
});

test("ops whose parameters differ in the sign of zero or in a function are not one", () => {
  alike(() => (t) => [t.maskedFill(t.eq(t), 0).reciprocal(), t.maskedFill(t.eq(t), -0).reciprocal()], ones([2]));
});

test("random numbers are those of the eager function, also where nothing reads some of them", () => {
  const f = (t: T): T => {
    tapir.dropout(t, { p: 0.5 });
    return tapir.dropout(t, { p: 0.5 });
  };
  const [eager, compiled] = [f, compile(f)].map((call) => {
    tapir.manualSeed(7);
    return [0, 1].map(() => call(ones([64])).toArray());
  });
  assert.equal(compiled, eager);
});

test("a dropout that is off takes no random numbers", () => {
  for (const off of [{ p: 0 }, { p: 0.5, training: false }]) {
    const f = (t: T): T[] => [tapir.dropout(t, off), tapir.dropout(t, { p: 0.5 }), t.mul(2)];
    const draws = [f, compile(f)].map((call) => {
      tapir.manualSeed(7);
      const found = [0, 1].map(() => call(ones([64])).map((t) => t.toArray()));
      return [found, tapir.rand([4]).toArray()];
    });
    assert.equal(draws[1], draws[0]);
  }
});

test("a call that fails leaves memory as the eager one does", () => {
  const states = [(f: (i: T) => T[]) => f, compile as unknown as (f: (i: T) => T[]) => (i: T) => T[]].map((how) => {
    const w = tensor([1]);
    const call = how((i) => {
      noGrad(() => w.add_(1));
      return [w.mul(2), tapir.embedding(i, ones([3, 1]))];
    });
    call(tensor(Int32Array.of(0)));
    assertThrows(() => call(tensor(Int32Array.of(7))), tapir.NumericError, /got 7/);
    return w.item();
  });
  assert.is(states[1], states[0]);
});

test("a constant of the function is a new tensor at each call", () => {
  const call = compile((t: T) => [t.mul(2), tapir.zeros([1])]);
  const x = ones([1]);
  call(x)[1].add_(5);
  assert.is(call(x)[1].item(), 0);
  call(x)[1].dispose();
  assert.is(call(x)[1].item(), 0);
});

test("a weight that is frozen between calls is trained no more", () => {
  const [a, b] = [1, 2].map(() => tensor([1], { requiresGrad: true }));
  const optimizer = new optim.SGD([a, b], { lr: 0.5 });
  const step = compile((t: T) => {
    optimizer.zeroGrad();
    const loss = t.mul(a).add(b).sum();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const x = ones([1]);
  step(x);
  b.requiresGrad = false;
  step(x);
  assert.equal([a.item(), b.item()], [0, 0.5]);
});

test("so is one that was read through another handle first", () => {
  const runs = [false, true].map((compiled) => {
    const [a, w] = [1, 1].map((v) => tensor([v], { requiresGrad: true }));
    const optimizer = new optim.SGD([a, w], { lr: 0.1 });
    const step = (t: T): T => {
      optimizer.zeroGrad();
      const loss = a.mul(w).mul(t).add(w.detach().add(t)).sum();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const call = compiled ? compile(step) : step;
    call(ones([1]));
    w.requiresGrad = false;
    w.grad = undefined;
    call(ones([1]));
    return [a.item(), w.item()];
  });
  assert.equal(runs[1], runs[0]);
});

test("an argument that is a weight, or lies in memory that the function changes, is an error", () => {
  const w = tensor([1, 2]);
  const changing = compile((t: T) => {
    noGrad(() => w.add_(10));
    return t.mul(2);
  });
  assertThrows(() => changing(w), tapir.ConfigError, /^compile: expected arguments apart from the weights.*pass a clone\(\)/);
  assertThrows(() => changing(w.reshape([2, 1])), tapir.ConfigError, /^compile: expected arguments apart/);
  assert.equal(w.toArray(), [1, 2]);
  assert.equal(changing(w.clone()).toArray(), [2, 4]);
  const v = tensor([1, 2], { requiresGrad: true });
  const optimizer = new optim.SGD([v], { lr: 0.1 });
  const step = compile((t: T) => {
    optimizer.zeroGrad();
    const loss = t.mul(v).sum();
    loss.backward();
    optimizer.step();
    return loss;
  });
  assertThrows(() => step(v), tapir.ConfigError, /^compile: expected arguments apart/);
});

test("a gradient from before is an error for an optimizer and for clipping too", () => {
  const [a, w] = [3, 4].map((v) => tensor([v], { requiresGrad: true }));
  const optimizer = new optim.SGD([a], { lr: 0.1 });
  w.mul(100).sum().backward();
  const clipped = compile((t: T) => {
    optimizer.zeroGrad();
    const loss = a.mul(t).sum();
    loss.backward();
    optim.clipGradNorm([a, w], 1);
    optimizer.step();
    return loss;
  });
  assertThrows(() => clipped(ones([1])), tapir.ConfigError, /^trace: expected leaves without a gradient from before/);
  const other = new optim.SGD([w], { lr: 0.1 });
  const stepping = compile((t: T) => {
    other.step();
    return t.mul(w);
  });
  assertThrows(() => stepping(ones([1])), tapir.ConfigError, /^trace: expected leaves without a gradient from before/);
  assert.equal((w.grad as T | undefined)?.toArray(), [100]);
});

test("a tensor from outside that is answered is a handle of its own at each call", () => {
  const w = tensor([3]);
  const call = compile((t: T) => [t.mul(2), w]);
  call(ones([1]))[1].dispose();
  assert.is(call(ones([1]))[1].item(), 3);
  assert.is(w.item(), 3);
});

test.run();
