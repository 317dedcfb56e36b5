// Which neighbours an output pixel mixes along an axis, and with which weights: the rules of PyTorch 1.13
// (aten/src/ATen/native/cpu/UpSampleKernel.cpp), whose nearest positions are worked out in the dtype of the image.

export type Resampling = "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic";

/** Of the cubic kernel (Keys 1981, a). */
const CUBIC = -0.75;

/** Neighbours of an output pixel along an axis. */
export function tapsOf(mode: Resampling): number {
  return mode === "bicubic" ? 4 : mode === "linear" || mode === "bilinear" ? 2 : 1;
}

/** Fills index and weight [out, taps]. `step`: input pixels an output pixel, or null where the sizes say. `single`: the image is float32. */
export function mixing(
  index: { [i: number]: number },
  weight: { [i: number]: number },
  mode: Resampling,
  n: number,
  out: number,
  step: number | null,
  alignCorners: boolean,
  single: boolean,
): void {
  const scale = alignCorners ? (out > 1 ? (n - 1) / (out - 1) : 0) : (step ?? n / out);
  const position = (i: number): number => (alignCorners ? scale * i : scale * (i + 0.5) - 0.5);
  for (let i = 0; i < out; i++) {
    if (mode === "nearest" || mode === "nearest-exact") {
      index[i] = nearest(i, n, scale, mode === "nearest-exact", single);
      weight[i] = 1;
    } else if (mode === "bicubic") {
      const at = position(i);
      const floor = Math.floor(at);
      const t = at - floor;
      for (let tap = 0; tap < 4; tap++) index[4 * i + tap] = Math.min(n - 1, Math.max(0, floor - 1 + tap));
      weight[4 * i] = outer(t + 1);
      weight[4 * i + 1] = inner(t);
      weight[4 * i + 2] = inner(1 - t);
      weight[4 * i + 3] = outer(2 - t);
    } else {
      const at = n === out ? i : Math.max(0, position(i));
      const floor = Math.min(n - 1, Math.floor(at));
      const t = Math.min(1, at - floor);
      index[2 * i] = floor;
      index[2 * i + 1] = Math.min(n - 1, floor + 1);
      weight[2 * i] = 1 - t;
      weight[2 * i + 1] = t;
    }
  }
}

function nearest(i: number, n: number, scale: number, exact: boolean, single: boolean): number {
  const round = single ? Math.fround : (x: number): number => x;
  const step = round(scale);
  const at = exact ? round(Math.max(0, round(round(step * (i + 0.5)) - 0.5)) + 0.5) : round(step * i);
  return Math.min(n - 1, Math.floor(Math.fround(at)));
}

/** The cubic kernel for 0 <= x <= 1. */
function inner(x: number): number {
  return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
}

/** The cubic kernel for 1 <= x <= 2. */
function outer(x: number): number {
  return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC;
}
