// Finding where the first NaN or infinity came from. While detectAnomaly() runs, every op's output is looked through, and
// every record knows the user's line that made it.
import { isFloat } from "./dtype.js";
import { ConfigError, NumericError } from "./errors.js";
import { view } from "./memory.js";
import { showShape } from "./shape.js";
import type { Tensor } from "./tensor.js";

let watching = 0;

export function isWatching(): boolean {
  return watching > 0;
}

/** The number that an op made out of better ones; the message of a backward pass adds the forward's line to it. */
export class AnomalyError extends NumericError {}

/**
 * Runs `fn`, an async function too, so that the first op whose output holds a NaN or an infinity that its operands do not
 * hold throws a NumericError: it names the op, the output, the place in it, and the user's line of the forward pass. Slow.
 */
export function detectAnomaly<T>(fn: () => T): T {
  if (typeof fn !== "function") throw new ConfigError(`detectAnomaly: expected a function; got ${fn === null ? "null" : typeof fn}`);
  watching++;
  let result: T;
  try {
    result = fn();
  } catch (error) {
    watching--;
    throw error;
  }
  if (result instanceof Promise) {
    return result.finally(() => {
      watching--;
    }) as T;
  }
  watching--;
  return result;
}

interface Found {
  nan: number;
  infinity: number;
}

/** First positions of a NaN and of an infinity, -1 where there is none. */
function found(t: Tensor): Found {
  const out: Found = { nan: -1, infinity: -1 };
  if (!isFloat(t.dtype)) return out;
  const data = t.contiguous ? view(t.ptr, t.size, t.dtype) : t.data();
  for (let i = 0; i < data.length && (out.nan < 0 || out.infinity < 0); i++) {
    if (Number.isFinite(data[i])) continue;
    if (Number.isNaN(data[i])) {
      if (out.nan < 0) out.nan = i;
    } else if (out.infinity < 0) out.infinity = i;
  }
  return out;
}

/** Whether a parameter, such as the value of a fill, is meant to be NaN or infinite. */
function meant(params: unknown, is: (value: number) => boolean): boolean {
  if (typeof params === "number") return is(params);
  return params !== null && typeof params === "object" && Object.values(params).some((value) => typeof value === "number" && is(value));
}

/** Throws AnomalyError if `y` holds what neither operands nor parameters brought in. */
export function inspect(op: string, inputs: readonly Tensor[], params: unknown, y: Tensor): void {
  const { nan, infinity } = found(y);
  if (nan < 0 && infinity < 0) return;
  const before = inputs.map(found);
  const infinite = (value: number): boolean => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
  let at = -1;
  if (nan >= 0 && !before.some((f) => f.nan >= 0) && !meant(params, Number.isNaN)) at = nan;
  else if (infinity >= 0 && !before.some((f) => f.infinity >= 0 || f.nan >= 0) && !meant(params, infinite)) at = infinity;
  if (at < 0) return;
  const index = new Array<number>(y.ndim);
  for (let axis = y.ndim - 1, rest = at; axis >= 0; axis--) {
    index[axis] = rest % y.shape[axis];
    rest = Math.floor(rest / y.shape[axis]);
  }
  const place = userLine();
  throw new AnomalyError(
    `${op}: expected a finite output; got ${y.data()[at]} at ${showShape(index)} of ${y.describe()}${place === "" ? "" : `, computed at ${place}`}`,
  );
}

const FRAME = /(?:\(|at )((?:file:\/\/|\/|[A-Za-z]:\\|https?:\/\/)[^()]+:\d+:\d+)\)?$/;

function frames(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const lines = (new Error().stack ?? "").split("\n");
  Error.stackTraceLimit = stackTraceLimit;
  return lines.map((line) => FRAME.exec(line.trim())?.[1]).filter((frame) => frame !== undefined);
}

/** The file or folder that the frames of this library share: its bundle, or the root of its sources. */
let own: string | undefined;
const SOURCE = "bindings/anomaly.ts";

/** The innermost line that is not the library's; "" if none can be told from it. */
export function userLine(): string {
  const places = frames();
  own ??= (places[0] ?? "").replace(/:\d+:\d+$/, "");
  const root = own.endsWith(SOURCE) ? own.slice(0, -SOURCE.length) : undefined;
  const mine = (place: string): boolean =>
    place.startsWith("node:") ||
    (root === undefined ? place.startsWith(`${own}:`) : place.startsWith(`${root}bindings/`) || place.startsWith(`${root}ts-src/`));
  return places.find((place) => !mine(place))?.replace(/^file:\/\//, "") ?? "";
}
