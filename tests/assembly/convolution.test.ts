// The convolution kernels of every build against a plain twin in f64, over random strides, paddings, dilations, groups and kernels.
// An element must lie within 2 (terms + 2) u (|bias| + sum |a| |b|) of the twin, u = 2^-24 or 2^-53: twice the bound of Higham
// (2002, section 3.1). Guards lie around outputs and scratch; operands lie unaligned, their surroundings are NaN.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Random } from "../draw.js";

const PAGES = 64;
const GUARD = 0x7fc0beef; // a NaN in f32, and in f64 where it fills both halves
const MARGIN = 16; // guarded words before and after each operand
const SEED = 20240611;
const CASES = 300;
console.log(`seed ${SEED}`);

interface Geometry {
  images: number;
  groups: number;
  channels: number;
  height: number;
  width: number;
  outChannels: number;
  outHeight: number;
  outWidth: number;
  kernelHeight: number;
  kernelWidth: number;
  strideY: number;
  strideX: number;
  top: number;
  left: number;
  dilationY: number;
  dilationX: number;
}

const readKernels = (build: string) => readFileSync(join(process.cwd(), "build/kernels", `${build}.wasm`));
if (!WebAssembly.validate(readKernels("f32-relaxed"))) setFlagsFromString("--experimental-wasm-relaxed-simd"); // Node 20

/** Calls `visit(y, w, x)` with the flat positions of each product, from output, weight and input. */
function products(g: Geometry, visit: (y: number, w: number, x: number) => void): void {
  const [inputs, outs] = [g.channels / g.groups, g.outChannels / g.groups];
  for (let n = 0; n < g.images; n++)
    for (let o = 0; o < g.outChannels; o++)
      for (let i = 0; i < g.outHeight; i++)
        for (let j = 0; j < g.outWidth; j++)
          for (let c = 0; c < inputs; c++)
            for (let u = 0; u < g.kernelHeight; u++)
              for (let v = 0; v < g.kernelWidth; v++) {
                const row = i * g.strideY + u * g.dilationY - g.top;
                const col = j * g.strideX + v * g.dilationX - g.left;
                if (row < 0 || row >= g.height || col < 0 || col >= g.width) continue;
                const channel = Math.floor(o / outs) * inputs + c;
                visit(
                  ((n * g.outChannels + o) * g.outHeight + i) * g.outWidth + j,
                  ((o * inputs + c) * g.kernelHeight + u) * g.kernelWidth + v,
                  ((n * g.channels + channel) * g.height + row) * g.width + col,
                );
              }
}

function drawn(random: Random): Geometry {
  const groups = random.pick([1, 1, 1, 2, 3]);
  const axis = () => {
    const [kernel, stride, dilation, windows] = [random.integer(1, 4), random.integer(1, 4), random.integer(1, 3), random.integer(1, 19)];
    const needed = (windows - 1) * stride + dilation * (kernel - 1) + 1;
    const pad = random.integer(0, Math.min(4, Math.floor((needed - 1) / 2)));
    return { kernel, stride, dilation, windows, pad, size: Math.max(1, needed - random.pick([1, 2]) * pad) + random.integer(0, stride - 1) };
  };
  const [y, x] = [axis(), axis()];
  return {
    images: random.integer(0, 2),
    groups,
    channels: groups * random.pick([0, 1, 2, 3, 5, 9]),
    height: y.size,
    width: x.size,
    outChannels: groups * random.pick([1, 2, 3, 4, 5, 7, 8, 13]),
    outHeight: y.windows,
    outWidth: x.windows,
    kernelHeight: y.kernel,
    kernelWidth: x.kernel,
    strideY: y.stride,
    strideX: x.stride,
    top: y.pad,
    left: x.pad,
    dilationY: y.dilation,
    dilationX: x.dilation,
  };
}

const small: Geometry = {
  images: 1,
  groups: 1,
  channels: 1,
  height: 1,
  width: 1,
  outChannels: 1,
  outHeight: 1,
  outWidth: 1,
  kernelHeight: 1,
  kernelWidth: 1,
  strideY: 1,
  strideX: 1,
  top: 0,
  left: 0,
  dilationY: 1,
  dilationX: 1,
};
/** Inner sizes and rows of more than one block; long lines; a kernel larger than the image. */
const large: Geometry[] = [
  { ...small, channels: 70, height: 5, width: 6, outChannels: 200, outHeight: 3, outWidth: 4, kernelHeight: 3, kernelWidth: 3 },
  {
    ...small,
    channels: 200,
    height: 4,
    width: 4,
    outChannels: 70,
    outHeight: 2,
    outWidth: 2,
    kernelHeight: 3,
    kernelWidth: 3,
    strideY: 2,
    strideX: 2,
    top: 1,
    left: 1,
  },
  { ...small, channels: 4, width: 1300, outChannels: 5, outWidth: 1298, kernelWidth: 3 },
  { ...small, images: 2, channels: 4, height: 40, width: 40, outChannels: 5, outHeight: 40, outWidth: 40, kernelHeight: 3, kernelWidth: 3, top: 1, left: 1 },
  { ...small, channels: 2, height: 3, width: 3, outChannels: 4, outHeight: 1, outWidth: 1, kernelHeight: 7, kernelWidth: 7, top: 2, left: 2 },
  { ...small, groups: 9, channels: 9, height: 9, width: 33, outChannels: 18, outHeight: 9, outWidth: 33, kernelHeight: 3, kernelWidth: 3, top: 1, left: 1 },
];

for (const build of ["f32-strict", "f32-relaxed", "f64-strict", "f64-relaxed"]) {
  const single = build.startsWith("f32");
  const unit = single ? 2 ** -24 : 2 ** -53;
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
  const words = new Uint32Array(memory.buffer);
  const reals = single ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
  const bytes = reals.BYTES_PER_ELEMENT;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readKernels(build)), { env: { memory } });
  const kernel = (name: string) => exports[name] as (...args: number[]) => number;

  let top = 0;
  const reserve = (count: number): number => {
    const start = top + MARGIN * 4 + bytes; // unaligned to vectors
    top = (start + count * bytes + MARGIN * 4 + 15) & ~15;
    assert.ok(top < words.byteLength, "the test's memory is too small");
    return start;
  };
  const random = new Random(SEED);

  const check = (g: Geometry, withBias: boolean): void => {
    const label = `${build} ${JSON.stringify(g)}`;
    words.fill(GUARD);
    top = 64;
    const inputs = g.channels / g.groups;
    const counts = {
      x: g.images * g.channels * g.height * g.width,
      w: g.outChannels * inputs * g.kernelHeight * g.kernelWidth,
      y: g.images * g.outChannels * g.outHeight * g.outWidth,
    };
    const given = (count: number): [number, Float64Array] => {
      const start = reserve(count);
      const values = Float64Array.from({ length: count }, () => (single ? Math.fround(random.unit() * 2 - 1) : random.unit() * 2 - 1));
      reals.set(values, start / bytes);
      return [start, values];
    };
    const [xAt, x] = given(counts.x);
    const [wAt, w] = given(counts.w);
    const [dyAt, dy] = given(counts.y);
    const [bAt, b] = given(g.outChannels);
    const { images, ...rest } = g;
    const sizes = [rest.groups, rest.channels, rest.height, rest.width, rest.outChannels, rest.outHeight, rest.outWidth, rest.kernelHeight, rest.kernelWidth];
    sizes.push(rest.strideY, rest.strideX, rest.top, rest.left, rest.dilationY, rest.dilationX);
    const scratchBytes = kernel("conv2dScratchBytes")(...sizes);

    /** Runs a kernel into a guarded output and compares it. */
    const compare = (
      name: string,
      count: number,
      want: Float64Array,
      size: Float64Array,
      terms: Float64Array,
      call: (out: number, scratch: number) => void,
    ): void => {
      const before = top;
      const out = reserve(count);
      const scratch = (top + 63) & ~63;
      top = scratch + scratchBytes + 64;
      assert.ok(top < words.byteLength, "the test's memory is too small");
      call(out, scratch);
      for (let i = 0; i < count; i++) {
        const got = reals[out / bytes + i]!;
        const bound = 2 * (terms[i]! + 2) * unit * size[i]!;
        if (!(Math.abs(got - want[i]!) <= bound)) assert.unreachable(`${name} ${label}: [${i}] = ${got} instead of ${want[i]}`);
      }
      for (let word = before / 4; word < scratch / 4; word++) {
        if (word * 4 >= out && word * 4 < out + count * bytes) continue;
        if (words[word] !== GUARD) assert.unreachable(`${name} ${label}: wrote ${word * 4 - out} bytes from the start of its output of ${count * bytes}`);
      }
      for (let word = (scratch + scratchBytes) / 4; word < top / 4; word++) {
        if (words[word] !== GUARD) assert.unreachable(`${name} ${label}: wrote beyond its scratch`);
      }
      words.fill(GUARD, before / 4, top / 4);
      top = before;
    };
    const accumulators = (count: number): [Float64Array, Float64Array, Float64Array] => [
      new Float64Array(count),
      new Float64Array(count),
      new Float64Array(count),
    ];

    const forward = accumulators(counts.y);
    const perImage = g.outHeight * g.outWidth;
    if (withBias) {
      for (let i = 0; i < counts.y; i++) {
        forward[0][i] = b[Math.floor(i / perImage) % g.outChannels]!;
        forward[1][i] = Math.abs(forward[0][i]!);
      }
    }
    const byInput = accumulators(counts.x);
    const byWeight = accumulators(counts.w);
    const add = ([sum, size, terms]: [Float64Array, Float64Array, Float64Array], at: number, value: number): void => {
      sum[at]! += value;
      size[at]! += Math.abs(value);
      terms[at]! += 1;
    };
    products(g, (yi, wi, xi) => {
      add(forward, yi, w[wi]! * x[xi]!);
      add(byInput, xi, w[wi]! * dy[yi]!);
      add(byWeight, wi, x[xi]! * dy[yi]!);
    });
    compare("conv2d", counts.y, ...forward, (out, scratch) => kernel("conv2d")(out, xAt, wAt, withBias ? bAt : 0, scratch, images, ...sizes));
    compare("conv2dGradInput", counts.x, ...byInput, (out, scratch) => kernel("conv2dGradInput")(out, dyAt, wAt, scratch, images, ...sizes));
    compare("conv2dGradWeight", counts.w, ...byWeight, (out, scratch) =>
      kernel("conv2dGradWeight")(out, xAt, dyAt, scratch, images, ...sizes, counts.y / images),
    );
  };

  test(`${build}: convolution and its gradients are right in ${CASES} random cases and touch nothing around their outputs`, () => {
    for (let i = 0; i < CASES; i++) check(drawn(random), random.unit() < 0.5);
  });

  test(`${build}: convolutions of several blocks of channels, pixels and rows are right`, () => {
    for (const g of large) for (const withBias of [true, false]) check(g, withBias);
  });
}

test.run();
