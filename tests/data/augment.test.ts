// Images changed at random: which changes, and that they depend on seed, round and example alone.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { hasBackground, inBackground } from "../../bindings/background.js";
import { arange, ConfigError, configure, DtypeError, data, memory, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { DataLoader, flip, noise, shift, TensorDataset } = data;
configure({ threads: 2 });

const ROWS = 4;
const COLS = 5;
const N = 60;
const PIXELS = 2 * ROWS * COLS;
/** Images of two channels whose elements all differ. */
const images = arange(1, N * PIXELS + 1).reshape([N, 2, ROWS, COLS]);
const set = new TensorDataset(images, arange(0, N, 1, { dtype: "int32" }));
const flat = new TensorDataset(images.reshape([N, PIXELS]), set.targets);

/** Each example's input in each of three rounds: [round][example]. */
function rounds(dataset: data.Dataset, options: data.DataLoaderOptions): number[][][] {
  const loader = new DataLoader(dataset, options);
  return [0, 1, 2].map(() => {
    const seen: number[][] = [];
    for (const [x, y] of loader)
      for (const [i, example] of y.data().entries()) seen[example] = [...x.data().subarray((i * x.size) / y.size, ((i + 1) * x.size) / y.size)];
    return seen;
  });
}

/** The image i moved, as the lists of numbers say. */
function moved(i: number, down: number, right: number, value = 0): number[] {
  return Array.from({ length: PIXELS }, (_, at) => {
    const [channel, row, col] = [Math.floor(at / (ROWS * COLS)), Math.floor(at / COLS) % ROWS, at % COLS];
    const [r, c] = [row - down, col - right];
    return r < 0 || r >= ROWS || c < 0 || c >= COLS ? value : 1 + i * PIXELS + channel * ROWS * COLS + r * COLS + c;
  });
}

test("shift moves whole images by every distance up to the given one", () => {
  const counts = new Map<string, number>();
  for (const round of rounds(set, { batchSize: 7, transform: shift(2, { value: -1 }) })) {
    for (const [i, image] of round.entries()) {
      const found: string[] = [];
      for (let down = -2; down <= 2; down++) {
        for (let right = -2; right <= 2; right++) if (String(image) === String(moved(i, down, right, -1))) found.push(`${down} ${right}`);
      }
      assert.is(found.length, 1, `image ${i}`);
      counts.set(found[0], (counts.get(found[0]) ?? 0) + 1);
    }
  }
  // 180 draws of 25 distances
  assert.is(counts.size, 25);
  assert.ok(Math.max(...counts.values()) < 22);
  assert.equal(rounds(set, { transform: shift(0) })[0], rounds(set, {})[0]);
});

test("flip mirrors about half of the images, all channels alike", () => {
  let mirrored = 0;
  const mirror = (image: readonly number[]): number[] => image.map((_, at) => image[at - (at % COLS) + COLS - 1 - (at % COLS)]);
  for (const round of rounds(set, { batchSize: 9, transform: flip() })) {
    for (const [i, image] of round.entries()) {
      const same = String(image) === String(moved(i, 0, 0));
      assert.ok(same || String(image) === String(mirror(moved(i, 0, 0))));
      if (!same) mirrored++;
    }
  }
  assert.ok(mirrored > 65 && mirrored < 115, `${mirrored} of 180`);
  assert.equal(rounds(set, { transform: flip({ probability: 0 }) })[0], rounds(set, {})[0]);
  assert.equal(rounds(set, { transform: flip({ probability: 1 }) })[0], rounds(set, {})[0].map(mirror));
});

test("noise is normal, of the deviation asked for, in both float dtypes", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const blank = new TensorDataset(zeros([2000, 50], { dtype }), set.targets.tile([34]).slice([0, 2000]));
    const [[x]] = blank.batch(2000, { transform: noise(0.5) });
    assert.is(x.dtype, dtype);
    const values = Array.from(x.data());
    const moment = (p: number): number => values.reduce((sum, v) => sum + (v / 0.5) ** p, 0) / values.length;
    for (const [p, expected, off] of [
      [1, 0, 0.02],
      [2, 1, 0.03],
      [3, 0, 0.06],
      [4, 3, 0.15],
    ])
      assert.ok(Math.abs(moment(p) - expected) < off, `moment ${p}: ${moment(p)}`);
  }
});

const all: data.Transform = (batch, place) => noise(0.1, { seed: 3 })(flip({ seed: 3 })(shift(1, { seed: 3 })(batch, place), place), place);
for (const [name, transform] of Object.entries({ shift: shift(2), flip: flip(), noise: noise(1), "all three": all })) {
  test(`${name}: what becomes of an example depends on seed, round and example alone`, () => {
    const expected = rounds(set, { batchSize: 8, transform });
    assert.not.equal(expected[0], expected[1]);
    for (const options of [
      { batchSize: 1 },
      { batchSize: 60 },
      { batchSize: 13, shuffle: true, seed: 5 },
      { batchSize: 8, prefetch: 3 },
      { batchSize: 5, prefetch: 1, shuffle: true },
    ]) {
      assert.equal(rounds(set, { ...options, transform }), expected, JSON.stringify(options));
      assert.equal(rounds(set.map(transform), options), expected, `map, ${JSON.stringify(options)}`);
    }
    configure({ threads: 1 });
    assert.equal(rounds(set, { batchSize: 8, transform }), expected);
    configure({ threads: 2 });
    // below other operations an example keeps its number
    const [part] = set.map(transform).split([50, 10]);
    for (const [x, y] of part.batch(50))
      for (const [i, example] of y.data().entries()) assert.equal([...x.data().subarray(i * PIXELS, (i + 1) * PIXELS)], expected[0][example]);
  });
}

test("another seed changes other images", () => {
  for (const make of [(seed: number) => shift(2, { seed }), (seed: number) => flip({ seed }), (seed: number) => noise(1, { seed })]) {
    assert.not.equal(rounds(set, { transform: make(1) }), rounds(set, { transform: make(2) }));
  }
});

test("flat inputs are images of the size given", () => {
  const size = [ROWS, COLS] as const;
  assert.equal(rounds(flat, { transform: shift(2, { size }) }), rounds(set, { transform: shift(2) }));
  assert.equal(rounds(flat, { transform: flip({ size }) }), rounds(set, { transform: flip() }));
});

test("a loader that takes up its position gives the images of the one that was not stopped", () => {
  const options = { batchSize: 8, shuffle: true, seed: 2, transform: all, prefetch: 2 };
  const bits = ([x]: data.Batch): string => Buffer.from(x.data().buffer).toString("base64");
  const whole = new DataLoader(set, options);
  for (const _ of whole);
  const expected = Array.from(whole, bits);
  const stopped = new DataLoader(set, options);
  for (const _ of stopped);
  let left = 3;
  for (const _ of stopped) if (--left === 0) break;
  const next = new DataLoader(set, { ...options, prefetch: 0 });
  next.loadStateDict(stopped.stateDict());
  assert.equal(Array.from(next, bits), expected.slice(3));
});

test("a helper has work with them, and no tensor stays", () => {
  assert.ok(hasBackground());
  const index = tensor([3, 1, 40], { dtype: "int32" });
  for (const transform of [shift(1), flip(), noise(1)]) assert.ok(inBackground(() => set.map(transform).take(index)).posted);
  const loader = new DataLoader(set, { batchSize: 8, transform: all, prefetch: 2 });
  for (const _ of loader);
  const { tensors } = memory.stats();
  for (let i = 0; i < 20; i++) for (const _ of loader);
  assert.is(memory.stats().tensors, tensors);
});

test("what cannot be is a typed error", () => {
  const any = (value: unknown): never => value as never;
  for (const pixels of [-1, 1.5, "1", undefined]) assertThrows(() => shift(any(pixels)), ConfigError, /^shift: expected a whole number/);
  for (const size of [[4], [4, 0], "4", null, [4, 5, 1]]) {
    assertThrows(() => shift(1, { size: any(size) }), ConfigError, /^shift: expected size/);
    assertThrows(() => flip({ size: any(size) }), ConfigError, /^flip: expected size/);
  }
  assertThrows(() => shift(1, { value: any("0") }), ConfigError, /value/);
  assertThrows(() => flip({ probability: 1.1 }), ConfigError, /probability/);
  for (const deviation of [-1, Number.NaN, "1"]) assertThrows(() => noise(any(deviation)), ConfigError, /deviation/);
  for (const make of [(o: object) => shift(1, o), (o: object) => flip(o), (o: object) => noise(1, o)]) {
    assertThrows(() => make({ seed: -1 }), ConfigError, /seed/);
    assertThrows(() => make({ speed: 1 }), ConfigError, /speed/);
  }
  const run = (transform: data.Transform, x: Tensor): unknown => [...new DataLoader(new TensorDataset(x, x), { transform })];
  assertThrows(() => run(shift(1), zeros([2, 20])), ShapeError, /^shift: expected images .*option size; got \[1,20\]/);
  assertThrows(() => run(flip({ size: [3, 3] }), zeros([2, 20])), ShapeError, /^flip: expected examples of 3 x 3/);
  assertThrows(() => run(noise(1), zeros([2, 20], { dtype: "int32" })), DtypeError, /^noise: expected inputs of dtype float32/);
});

test.run();
