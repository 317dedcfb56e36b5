// Kernel calls that are noted for the helper: whoever touches what they are to write finds it written.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inBackground } from "../../bindings/background.js";
import { twin } from "../../bindings/lifetime.js";
import { configure, ones, type Tensor } from "../../ts-src/index.js";

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

test.run();
