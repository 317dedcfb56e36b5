// einsum against the definition, for random equations; derivatives, contraction order, errors.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { DtypeError, einsum, ShapeError, tensor } = tapir;
type Tensor = tapir.Tensor;

interface Problem {
  equation: string;
  inputs: string[];
  output: string;
  sizes: Record<string, number>;
}

function drawn(random: Random, most: number): Problem {
  const letters = "abcdeXY".slice(0, random.integer(1, 7)).split("");
  const sizes = Object.fromEntries(letters.map((letter) => [letter, random.unit() < 0.05 ? 0 : random.integer(1, 3)]));
  const inputs = Array.from({ length: random.integer(1, most) }, () => Array.from({ length: random.integer(0, 4) }, () => random.pick(letters)).join(""));
  const used = [...new Set(inputs.join(""))];
  const output = used.filter(() => random.unit() < 0.5);
  for (let i = output.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [output[i], output[j]] = [output[j], output[i]];
  }
  return { equation: `${inputs.join(",")}->${output.join("")}`, inputs, output: output.join(""), sizes };
}

function operands(random: Random, problem: Problem): Tensor[] {
  return problem.inputs.map((names) => {
    const x = random.operand({ shape: [...names].map((name) => problem.sizes[name]) });
    return random.layout(x)(x);
  });
}

/** The definition: over all values of all indices, products added where the output's indices say. */
function definition(problem: Problem, xs: readonly Tensor[]): Float64Array {
  const names = [...new Set(problem.inputs.join(""))];
  const data = xs.map((x) => x.data());
  const place = (letters: string, at: Record<string, number>): number => [...letters].reduce((flat, name) => flat * problem.sizes[name] + at[name], 0);
  const out = new Float64Array([...problem.output].reduce((n, name) => n * problem.sizes[name], 1));
  const at: Record<string, number> = {};
  const walk = (depth: number): void => {
    if (depth === names.length) {
      out[place(problem.output, at)] += problem.inputs.reduce((product, letters, i) => product * data[i][place(letters, at)], 1);
      return;
    }
    for (let i = 0; i < problem.sizes[names[depth]]; i++) {
      at[names[depth]] = i;
      walk(depth + 1);
    }
  };
  walk(0);
  return out;
}

test("einsum has the values of its definition for 600 random equations", () => {
  const random = new Random(3);
  for (let i = 0; i < 600; i++) {
    const problem = drawn(random, 4);
    tapir.noGrad(() => {
      const xs = operands(random, problem);
      const y = einsum(problem.equation, ...xs);
      assert.equal(
        y.shape,
        [...problem.output].map((name) => problem.sizes[name]),
        problem.equation,
      );
      assertClose(y.data(), definition(problem, xs), { rtol: 1e-11, atol: 1e-11 }, problem.equation);
    });
  }
});

test("einsum has both derivatives of its definition for 40 random equations", () => {
  const random = new Random(4);
  for (let i = 0; i < 40; i++) {
    const problem = drawn(random, 3);
    tapir.noGrad(() => tapir.gradcheck((...xs: Tensor[]) => einsum(problem.equation, ...xs), operands(random, problem), { order: 2, atol: 1e-6 }));
  }
});

test("einsum keeps intermediate results small: a chain of vectors and matrices costs no large product", () => {
  const n = 600;
  const a = tapir.ones([n, n]);
  const before = tapir.memory.stats().peakBytes;
  // left to right this would hold n^3 numbers, 864 MB
  const y = einsum("ai,bi,ci,a,b,c->i", a, a, a, a.slice(0), a.slice(0), a.slice(0));
  assert.is(y.slice(5).item(), n ** 3);
  assert.ok(tapir.memory.stats().peakBytes - before < 2 ** 25, "less than 32 MiB more");
});

test("einsum takes many operands", () => {
  const x = tensor([
    [0, 1],
    [1, 0],
  ]);
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const terms = Array.from({ length: 51 }, (_, i) => letters.slice(i, i + 2));
  assert.equal(einsum(`${terms.join(",")}->aZ`, ...terms.map(() => x)).toArray(), x.toArray());
});

test("einsum's errors name the equation, the operand and the index", () => {
  const [a, b] = [tapir.ones([2, 3]), tapir.ones([4, 5])];
  const wrong = <T>(value: unknown): T => value as T;
  assertThrows(() => einsum("ij,jk->il", a, a.transpose()), ShapeError, /^einsum: "ij,jk->il": output index l stands in no operand$/);
  assertThrows(() => einsum("ij,jk->ik", a, b), ShapeError, /^einsum: "ij,jk->ik": index j has size 4 in operand 2 \[4,5\]; expected 3, as before$/);
  assertThrows(() => einsum("ii->i", a), ShapeError, /index i stands for sizes 2 and 3 in operand 1 \[2,3\]$/);
  assertThrows(() => einsum("ij->ii", a), ShapeError, /output index i stands twice$/);
  assertThrows(() => einsum("ij,jk", a), ShapeError, /expected 2 operands, as it has terms; got 1$/);
  assertThrows(() => einsum("ijk", a), ShapeError, /expected 3 axes in operand 1, as in ijk; got 2$/);
  assertThrows(() => einsum("...ijk->...", a), ShapeError, /expected 3 or more axes in operand 1/);
  assertThrows(() => einsum("i", a), ShapeError, /expected 1 axes in operand 1/);
  assertThrows(() => einsum("......ij", a), ShapeError, /expected one "\.\.\." at most in operand 1/);
  assertThrows(() => einsum("i.j", a), ShapeError, /expected letters or "\.\.\." in operand 1; got "\."$/);
  assertThrows(() => einsum("i1", a), ShapeError, /got "1"$/);
  assertThrows(() => einsum("ij->i->j", a), ShapeError, /one "->" at most/);
  assertThrows(() => einsum("...i,...i->...", a, b.transpose()), ShapeError, /index i has size 4|index \.\.\.1 has size/);
  assertThrows(() => einsum("ij"), ShapeError, /expected operands/);
  assertThrows(() => einsum(wrong(undefined), a), ShapeError, /expected an equation.*undefined/);
  assertThrows(() => einsum(wrong(a), a), ShapeError, /expected an equation/);
  assertThrows(() => einsum("ij\n,\nzz", a), ShapeError, /2 operands/);
  assertThrows(() => einsum("ij,jk", a, wrong(3)), DtypeError, /expected a tensor for operand 2; got number 3/);
  assertThrows(() => einsum("ij,jk", a, b.to("float64")), DtypeError, /operand 1 float32, operand 2 float64/);
  assertThrows(() => einsum("ij", a.to("int32")), DtypeError, /operand 1.*int32/);
  const before = tapir.memory.stats().tensors;
  for (let i = 0; i < 10; i++) assertThrows(() => einsum("ij,jk->ik", a, b), ShapeError, /index j/);
  assert.is(tapir.memory.stats().tensors, before);
});

test("products of vectors and batches check their operands", () => {
  const [v, m, t] = [tapir.ones([3]), tapir.ones([3, 3]), tapir.ones([2, 3, 3])];
  const wrong = <T>(value: unknown): T => value as T;
  assertThrows(() => tapir.bmm(t, m), ShapeError, /^bmm: .*\[2,3,3\] and \[3,3\]/);
  assertThrows(() => tapir.bmm(t, tapir.ones([1, 3, 3])), ShapeError, /^bmm: /);
  assertThrows(() => tapir.bmm(t, wrong(undefined)), DtypeError, /^bmm: .*undefined/);
  assertThrows(() => v.dot(m), ShapeError, /^dot: /);
  assertThrows(() => v.dot(tapir.ones([4])), ShapeError, /^dot: .*\[3\] and \[4\]/);
  assertThrows(() => v.dot(tapir.ones([3], { dtype: "float64" })), DtypeError, /^dot: /);
  assertThrows(() => v.outer(m), ShapeError, /^outer: /);
  assertThrows(() => tapir.outer(wrong(null), v), DtypeError, /^outer: /);
  assertThrows(() => tapir.linear(v, wrong(null)), DtypeError, /^linear: /);
  assertThrows(() => tapir.linear(v, tapir.ones([2, 4])), ShapeError, /^linear: /);
  assertThrows(() => tapir.matmul(tensor(1), v), ShapeError, /^matmul: /);
  assertThrows(() => tapir.matmul(tapir.zeros([2 ** 20, 0]), tapir.zeros([0, 2 ** 20])), tapir.OutOfMemoryError, /memory/);
});

test.run();
