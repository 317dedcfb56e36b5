// Which tasks of a program may run beside each other: those that do not touch bytes which another one writes.

/** Bytes from `from` to just before `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What some instructions do to memory. */
export interface Touched {
  readonly reads: readonly Span[];
  readonly writes: readonly Span[];
}

/** The most steps of a phase: each is compared with all before it. */
const MOST_STEPS = 256;

function overlap(a: readonly Span[], b: readonly Span[]): boolean {
  return a.some((x) => b.some((y) => x.from < y.to && y.from < x.to));
}

function conflict(a: Touched, b: Touched): boolean {
  return overlap(a.writes, b.writes) || overlap(a.writes, b.reads) || overlap(a.reads, b.writes);
}

/**
 * The phase of each step, ascending from 0. A step has a task for each slot, or one for slot 0. Tasks of one slot run in their order,
 * those of different slots of a phase in any; so a new phase begins where a task touches what one of another slot does.
 */
export function phasesOf(steps: readonly (readonly Touched[])[]): number[] {
  let phase = 0;
  let first = 0;
  return steps.map((tasks, i) => {
    const meets = steps
      .slice(first, i)
      .some((earlier) => tasks.some((task, slot) => earlier.some((other, otherSlot) => otherSlot !== slot && conflict(task, other))));
    if (meets || i - first >= MOST_STEPS) {
      phase++;
      first = i;
    }
    return phase;
  });
}
