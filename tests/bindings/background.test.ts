// Kernel calls that are noted for the helper: whoever touches what they are to write finds it written.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inBackground } from "../../bindings/background.js";
import { Blocks } from "../../bindings/blocks.js";
import { twin } from "../../bindings/lifetime.js";
import { configure, ones, type Tensor, tensor } from "../../ts-src/index.js";

configure({ threads: 2 });
const x = ones([300, 1000]);
/** Ones, after some ms of work. */
const worked = (): Tensor => {
  let y = x.exp().log();
  for (let i = 0; i < 10; i++) y = y.exp().log();
  return y;
};
const allOnes = (t: Tensor | undefined): boolean => (t as Tensor).data().every((value) => Math.abs(value - 1) < 1e-3);

test("a twin has the elements of its block, whenever it was made", () => {
  for (const when of ["noted", "posted"]) {
    let [first, second]: (Tensor | undefined)[] = [];
    const job = inBackground(() => {
      first = worked();
      if (when === "noted") second = twin(first);
    });
    assert.ok(job.posted);
    if (when === "posted") second = twin(first as unknown as Tensor);
    assert.ok(allOnes(second), when);
    job.wait();
    assert.ok(allOnes(first), when);
  }
});

test("a twin that is changed while its block is to be written moves away with the elements", () => {
  let [first, second]: (Tensor | undefined)[] = [];
  const job = inBackground(() => {
    first = worked();
    second = twin(first);
  });
  (second as unknown as Tensor).mul_(1);
  assert.ok(allOnes(second));
  job.wait();
  assert.ok(allOnes(first));
});

test("a call is looked up once, however many were noted before it", () => {
  const { at } = Blocks.prototype;
  const numbers = ones([10]);
  let looked = 0;
  Blocks.prototype.at = function (this: Blocks, address: number) {
    looked++;
    return at.call(this, address);
  };
  try {
    const lookedUp = (count: number): number => {
      looked = 0;
      const job = inBackground(() => {
        // what JavaScript writes between calls is looked for among all that was noted
        for (let i = 0; i < count; i++) numbers.exp().mul(tensor([i]));
      });
      job.wait();
      return looked / count;
    };
    const few = lookedUp(10);
    assert.ok(few > 1);
    assert.ok(lookedUp(500) <= few, `${lookedUp(500)} and ${few} a round`);
  } finally {
    Blocks.prototype.at = at;
  }
});

test.run();
