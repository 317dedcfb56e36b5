// Places for the boxes of a graph (Sugiyama, Tagawa and Toda 1981): rows by the longest way from a source, long edges led through a
// slot in every row they cross, rows ordered by sweeps that keep the fewest crossings, then positions by least squares.

export interface Box {
  readonly width: number;
  /** Places of earlier boxes in the list. */
  readonly reads: readonly number[];
}

export interface Layout {
  readonly rows: number;
  /** Left and right end of everything. */
  readonly left: number;
  readonly right: number;
  /** Middle and row of each box. */
  readonly places: readonly { readonly x: number; readonly row: number }[];
  /** Per box and operand the middles of the slots that the edge passes, in the rows between. */
  readonly routes: readonly (readonly (readonly number[])[])[];
}

/** A box, or the slot of an edge in a row that it crosses. */
interface Item {
  readonly width: number;
  readonly row: number;
  readonly above: Item[];
  readonly below: Item[];
  readonly slot: boolean;
  x: number;
  /** Place in its row. */
  order: number;
}

const GAP = 18;
const SLOT = 2;
const MOST_SLOTS = 20_000; // beyond, long edges are drawn straight: nobody can follow them anyway
const ORDER_SWEEPS = 24;
const PLACE_SWEEPS = 80;
/** How much straighter an edge is wanted that passes slots (Gansner et al. 1993, "A technique for drawing directed graphs", section 4). */
const STRAIGHT = 8;

export function layout(boxes: readonly Box[]): Layout {
  const ranks = rowsOf(boxes);
  const rows: Item[][] = Array.from({ length: ranks.reduce((most, rank) => Math.max(most, rank + 1), 0) }, () => []);
  const add = (width: number, row: number, slot: boolean): Item => {
    const item: Item = { width, row, above: [], below: [], slot, x: 0, order: rows[row].length };
    rows[row].push(item);
    return item;
  };
  const link = (from: Item, to: Item): void => {
    from.below.push(to);
    to.above.push(from);
  };
  const items = boxes.map(({ width }, i) => add(width, ranks[i], false));
  const slots = boxes.reduce((n, { reads }, i) => n + reads.reduce((m, from) => m + ranks[i] - ranks[from] - 1, 0), 0);
  const routes = boxes.map(({ reads }, i) =>
    reads.map((from) => {
      const passed: Item[] = [];
      if (slots <= MOST_SLOTS) {
        let last = items[from];
        for (let row = ranks[from] + 1; row < ranks[i]; row++) {
          const next = add(SLOT, row, true);
          link(last, next);
          passed.push(next);
          last = next;
        }
        link(last, items[i]);
      }
      return passed;
    }),
  );
  ordered(rows);
  placed(rows);
  const all = rows.flat();
  return {
    rows: rows.length,
    left: all.reduce((least, { x, width }) => Math.min(least, x - width / 2), Number.POSITIVE_INFINITY),
    right: all.reduce((most, { x, width }) => Math.max(most, x + width / 2), Number.NEGATIVE_INFINITY),
    places: items.map(({ x, row }) => ({ x, row })),
    routes: routes.map((list) => list.map((passed) => passed.map(({ x }) => x))),
  };
}

/** The longest way from a source; a source stands right above what reads it first. */
function rowsOf(boxes: readonly Box[]): number[] {
  const ranks = boxes.map(() => 0);
  const first = boxes.map(() => Number.POSITIVE_INFINITY);
  for (const [i, { reads }] of boxes.entries()) for (const from of reads) ranks[i] = Math.max(ranks[i], ranks[from] + 1);
  for (const [i, { reads }] of boxes.entries()) for (const from of reads) first[from] = Math.min(first[from], ranks[i]);
  for (const [i, { reads }] of boxes.entries()) if (reads.length === 0 && first[i] < Number.POSITIVE_INFINITY) ranks[i] = first[i] - 1;
  return ranks;
}

function ordered(rows: Item[][]): void {
  let best = rows.map((row) => [...row]);
  let fewest = crossings(rows);
  for (let sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      const wanted = new Map(row.map((item) => [item, middle(down ? item.above : item.below, item.order)]));
      row.sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number));
      for (const [i, item] of row.entries()) item.order = i;
    }
    const count = crossings(rows);
    if (count < fewest) {
      fewest = count;
      best = rows.map((row) => [...row]);
    }
  }
  for (const [i, row] of best.entries()) {
    rows[i] = row;
    for (const [j, item] of row.entries()) item.order = j;
  }
}

/** The mean place of neighbours; where there are none, an item stays. */
function middle(neighbours: readonly Item[], otherwise: number): number {
  return neighbours.length === 0 ? otherwise : neighbours.reduce((n, { order }) => n + order, 0) / neighbours.length;
}

function crossings(rows: readonly (readonly Item[])[]): number {
  let count = 0;
  for (const row of rows) {
    const ends = row.flatMap(({ below }) => below.map(({ order }) => order).sort((a, b) => a - b));
    // inversions, counted by a Fenwick tree over places
    const tree = new Int32Array(ends.reduce((most, end) => Math.max(most, end), 0) + 2);
    for (const [seen, end] of ends.entries()) {
      let before = 0;
      for (let i = end + 1; i > 0; i -= i & -i) before += tree[i];
      count += seen - before;
      for (let i = end + 1; i < tree.length; i += i & -i) tree[i]++;
    }
  }
  return count;
}

/** Each row takes the places nearest to its neighbours' that keep order and gaps, from above and from below in turn. */
function placed(rows: readonly (readonly Item[])[]): void {
  for (const row of rows) {
    let x = 0;
    for (const item of row) {
      item.x = x + item.width / 2;
      x += item.width + GAP;
    }
    for (const item of row) item.x -= x / 2;
  }
  for (let sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
    const last = sweep >= PLACE_SWEEPS - 8;
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      settle(row, ({ above, below }) => (last ? [...above, ...below] : down ? above : below));
    }
  }
}

/** Least squares under the row's order and gaps: isotonic regression of places less the least distance from the first (pool adjacent violators). */
function settle(row: readonly Item[], neighbours: (item: Item) => readonly Item[]): void {
  const pools: { sum: number; weight: number; count: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const [i, item] of row.entries()) {
    if (i > 0) offset += (row[i - 1].width + item.width) / 2 + GAP;
    offsets.push(offset);
    let [sum, weight] = [0, 0];
    for (const other of neighbours(item)) {
      const pull = item.slot && other.slot ? STRAIGHT : item.slot || other.slot ? 2 : 1;
      sum += pull * other.x;
      weight += pull;
    }
    // without neighbours an item stays where it is, unless others push
    if (weight === 0) [sum, weight] = [0.1 * item.x, 0.1];
    pools.push({ sum: sum - weight * offset, weight, count: 1 });
    while (pools.length > 1) {
      const [a, b] = pools.slice(-2);
      if (a.sum / a.weight <= b.sum / b.weight) break;
      pools.length -= 2;
      pools.push({ sum: a.sum + b.sum, weight: a.weight + b.weight, count: a.count + b.count });
    }
  }
  let i = 0;
  for (const { sum, weight, count } of pools) for (const end = i + count; i < end; i++) row[i].x = sum / weight + offsets[i];
}
