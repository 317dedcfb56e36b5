// A tensor as text, like NumPy's.
import type { Tensor } from "../../bindings/tensor.js";

const SHOWN = 1000; // elements; beyond, three at each end of an axis
const EDGE = 3;

/** The elements in brackets, aligned; long axes are shortened to their ends. */
export function show(x: Tensor): string {
  if (x.disposed) return `[disposed ${x.describe()}]`;
  const data = x.data();
  const short = x.size > SHOWN;
  const shown: number[] = [];
  // where the elements that are shown lie; undefined stands for "..."
  const pick = (n: number): (number | undefined)[] => {
    if (!short || n <= 2 * EDGE) return Array.from({ length: n }, (_, i) => i);
    return [0, 1, 2, undefined, n - 3, n - 2, n - 1];
  };
  const collect = (axis: number, at: number): void => {
    if (axis === x.ndim) shown.push(data[at]);
    else for (const i of pick(x.shape[axis])) if (i !== undefined) collect(axis + 1, at * x.shape[axis] + i);
  };
  collect(0, 0);
  const write = formatter(x, shown);
  const build = (axis: number, at: number): string => {
    if (axis === x.ndim) return write(data[at]);
    const parts = pick(x.shape[axis]).map((i) => (i === undefined ? "..." : build(axis + 1, at * x.shape[axis] + i)));
    const gap = x.ndim - axis - 1;
    return `[${parts.join(gap === 0 ? " " : "\n".repeat(gap) + " ".repeat(axis + 1))}]`;
  };
  return build(0, 0);
}

/** One width for all: integers to the right, decimals at the point; powers of ten when sizes differ too much. */
function formatter(x: Tensor, shown: readonly number[]): (value: number) => string {
  if (x.dtype === "bool") return (value) => (value !== 0 ? " True" : "False");
  const padded = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
  if (x.dtype === "int32" || x.dtype === "uint8") {
    const width = padded(shown.map(String));
    return (value) => String(value).padStart(width);
  }
  const finite = shown.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const [least, most] = finite.length > 0 ? [Math.min(...finite), Math.max(...finite)] : [1, 1];
  const digits = x.dtype === "float32" ? 8 : 16;
  const special = (value: number): string => (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");
  if (most >= 1e8 || least < 1e-4 || most / least > 1000) {
    const places = Math.max(
      0,
      ...finite.map(
        (value) =>
          shortest(value, digits)
            .toExponential()
            .split("e")[0]
            .replace(/^\d\.?/, "").length,
      ),
    );
    const text = (value: number): string => (Number.isFinite(value) ? exponential(value, Math.min(8, places)) : special(value));
    const width = padded(shown.map(text));
    return (value) => text(value).padStart(width);
  }
  const parts = (value: number): [string, string] => {
    if (!Number.isFinite(value)) return [special(value), ""];
    const [whole, fraction = ""] = shortest(value, digits).toFixed(8).replace(/0+$/, "").split(".");
    return [whole, fraction];
  };
  const left = padded(shown.map((value) => parts(value)[0]));
  const right = padded(shown.map((value) => parts(value)[1]));
  return (value) => {
    const [whole, fraction] = parts(value);
    if (!Number.isFinite(value)) return whole.padStart(left + 1 + right);
    const point = shown.length === 1 && x.ndim === 0 && fraction === "" ? ".0" : `.${fraction.padEnd(right)}`;
    return whole.padStart(left) + point;
  };
}

/** The shortest number that reads back as the same float. */
function shortest(value: number, digits: number): number {
  if (digits === 16) return value;
  for (let n = 1; n <= 9; n++) {
    const candidate = Number(value.toPrecision(n));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

function exponential(value: number, places: number): string {
  const [mantissa, power] = value.toExponential(places).split("e");
  const size = Math.abs(Number(power));
  return `${places === 0 ? `${mantissa}.` : mantissa}e${Number(power) < 0 ? "-" : "+"}${String(size).padStart(2, "0")}`;
}

export { show as toString };
