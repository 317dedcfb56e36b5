// The exponent of a power law in measured points.

/** Slope of the least-squares line through (log x, log y): y is about c x^slope. Throws for fewer than two points, and for what has no logarithm. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  if (points.length < 2) throw new Error(`bench: expected two points or more; got ${points.length}`);
  const bad = points.find(({ x, y }) => !(x > 0 && y > 0));
  if (bad !== undefined) throw new Error(`bench: expected positive points; got (${bad.x}, ${bad.y})`);
  const [xs, ys] = [points.map(({ x }) => Math.log(x)), points.map(({ y }) => Math.log(y))];
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  const [mx, my] = [mean(xs), mean(ys)];
  return xs.reduce((n, x, i) => n + (x - mx) * (ys[i] - my), 0) / xs.reduce((n, x) => n + (x - mx) ** 2, 0);
}
