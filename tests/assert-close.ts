// Comparisons whose messages name the first bad elements and the largest errors.
import * as assert from "uvu/assert";

export interface Tolerance {
  rtol?: number;
  atol?: number;
}

/** |actual - expected| <= atol + rtol |expected| for every element; NaN equals NaN. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, { rtol = 0, atol = 0 }: Tolerance, label = ""): void {
  assert.is(actual.length, expected.length, `${label}: lengths differ`);
  const bad: number[] = [];
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const [p, q] = [actual[i], expected[i]];
    if (Object.is(p, q) || p === q || (Number.isNaN(p) && Number.isNaN(q))) continue;
    const error = Math.abs(p - q);
    if (!(error <= atol + rtol * Math.abs(q))) bad.push(i);
    if (!(error <= worst)) worst = error;
  }
  if (bad.length === 0) return;
  const shown = bad.slice(0, 5).map((i) => `[${i}] ${actual[i]} instead of ${expected[i]}`);
  assert.unreachable(`${label}: ${bad.length} of ${actual.length} elements differ, by at most ${worst}: ${shown.join(", ")}`);
}

type ErrorClass = new (message: string) => Error;

function check(error: unknown, kind: ErrorClass, message: RegExp): void {
  assert.instance(error, kind, `expected ${kind.name}, got ${String(error)}`);
  assert.match((error as Error).message, message);
  assert.not.match((error as Error).message, /\n/);
}

/** `fn` throws this class of error, with a message of one line that matches. */
export function assertThrows(fn: () => unknown, kind: ErrorClass, message: RegExp): void {
  try {
    fn();
  } catch (error) {
    check(error, kind, message);
    return;
  }
  assert.unreachable(`expected ${kind.name}, nothing was thrown`);
}

export async function assertRejects(promise: Promise<unknown>, kind: ErrorClass, message: RegExp): Promise<void> {
  try {
    await promise;
  } catch (error) {
    check(error, kind, message);
    return;
  }
  assert.unreachable(`expected ${kind.name}, nothing was thrown`);
}
