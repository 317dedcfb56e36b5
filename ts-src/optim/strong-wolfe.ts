// A line search for the strong Wolfe conditions: bracket, then zoom by cubic interpolation (Nocedal and Wright 2006, algorithms 3.5
// and 3.6, as PyTorch's LBFGS has them after minFunc).

/** A place on the line: t, the loss there, and its slope along the direction. */
export interface Place {
  readonly t: number;
  readonly loss: number;
  readonly slope: number;
}

const ARMIJO = 1e-4;
const CURVATURE = 0.9;
const MOST_EVALUATIONS = 25;

/** Where the cubic through two places with their slopes is lowest, within bounds. */
function cubicLowest(a: Place, b: Place, bounds: readonly [number, number] = a.t <= b.t ? [a.t, b.t] : [b.t, a.t]): number {
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (bounds[0] + bounds[1]) / 2;
  const d2 = Math.sqrt(square);
  const [left, right] = a.t <= b.t ? [a, b] : [b, a];
  const lowest = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return Math.min(Math.max(lowest, bounds[0]), bounds[1]);
}

/**
 * A place with loss <= loss(0) + 1e-4 t slope(0) and |slope| <= 0.9 |slope(0)|, from a first t; or the lowest that was found within 25
 * evaluations, or when the bracket times `length`, the largest element of the direction, is below `toleranceChange`.
 */
export function strongWolfe<P extends Place>(evaluate: (t: number) => P, start: P, t: number, length: number, toleranceChange: number): P {
  const tooHigh = (place: P): boolean => place.loss > start.loss + ARMIJO * place.t * start.slope;
  const flat = (place: P): boolean => Math.abs(place.slope) <= -CURVATURE * start.slope;
  let evaluations = 0;
  let before = start;
  let place = evaluate(t);
  let bracket: [P, P] | undefined;
  while (evaluations < MOST_EVALUATIONS && bracket === undefined) {
    if (tooHigh(place) || (evaluations > 1 && place.loss >= before.loss)) bracket = [before, place];
    else if (flat(place)) return place;
    else if (place.slope >= 0) bracket = [before, place];
    else {
      const next = cubicLowest(before, place, [place.t + 0.01 * (place.t - before.t), place.t * 10]);
      before = place;
      place = evaluate(next);
      evaluations++;
    }
  }
  bracket ??= [start, place];
  return zoom(bracket, { evaluate, tooHigh, flat, evaluations, length, toleranceChange });
}

interface Search<P> {
  evaluate(t: number): P;
  tooHigh(place: P): boolean;
  flat(place: P): boolean;
  evaluations: number;
  readonly length: number;
  readonly toleranceChange: number;
}

function zoom<P extends Place>(bracket: [P, P], search: Search<P>): P {
  let stuck = false;
  let low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  for (let { evaluations } = search; evaluations < MOST_EVALUATIONS; evaluations++) {
    const [a, b] = bracket;
    if (Math.abs(b.t - a.t) * search.length < search.toleranceChange) break;
    const [least, most] = [Math.min(a.t, b.t), Math.max(a.t, b.t)];
    let t = cubicLowest(a, b);
    // a place too near to an end, twice in a row, is moved away from it
    const margin = 0.1 * (most - least);
    if (Math.min(most - t, t - least) < margin) {
      if (stuck || t >= most || t <= least) {
        t = Math.abs(t - most) < Math.abs(t - least) ? most - margin : least + margin;
        stuck = false;
      } else stuck = true;
    } else stuck = false;
    const place = search.evaluate(t);
    const high = 1 - low;
    if (search.tooHigh(place) || place.loss >= bracket[low].loss) {
      bracket[high] = place;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
    } else {
      if (search.flat(place)) return place;
      if (place.slope * (bracket[high].t - bracket[low].t) >= 0) bracket[high] = bracket[low];
      bracket[low] = place;
    }
  }
  return bracket[low];
}
