// What can be tried is tried: which dtypes an op takes, how often it can be differentiated.
import { dtypeExamples, functionExamples, opExamples } from "./examples.js";

const FLOATS_AND_OTHERS = ["float32", "float64", "int32", "uint8", "bool"];
const ORDERS = 4;
const DRAWS = 40; // of each sample that is drawn, of which are tried
const FIRST = 4; // with what parameters they come
const LARGEST = 3; // and, as an axis of one element makes much of it 0 or equal
const ZERO = 1e-9;
const reducing = ["zeroOneLoss", "binaryCrossEntropy"]; // functions that also reduce what the op of their name gives

export function tries({ apply, scope, Random, TapirError, DtypeError, GradientError, ...tapir }) {
  const calls = functionExamples(tapir);

  /** Samples of an op that have elements: its own, several of each that is drawn, or an example. */
  function samplesOf(declaration) {
    const random = new Random(1);
    const elements = (sample) => declaration.inputs.every((name) => !sample.inputs[name].shape.includes(0));
    const least = (sample) => Math.min(...declaration.inputs.map((name) => sample.inputs[name].shape.reduce((a, b) => a * b, 1)));
    const drawn = (sample) => {
      const found = Array.from({ length: DRAWS }, () => sample(random)).filter(elements);
      return [...found.toSorted((a, b) => least(b) - least(a)).slice(0, LARGEST), ...found.slice(0, FIRST)];
    };
    const own = declaration.samples.flatMap((sample) => (typeof sample === "function" ? drawn(sample) : [sample].filter(elements)));
    const example = opExamples[declaration.name];
    if (declaration.samples.length > 0) return example === undefined ? own : [...own, example];
    return [example ?? { inputs: Object.fromEntries(declaration.inputs.map((name) => [name, { shape: [2, 3] }])) }];
  }

  function operandsOf(declaration, { inputs }, seed) {
    const random = new Random(seed);
    return declaration.inputs.map((name) => random.operand(inputs[name]));
  }

  /** The samples, those first that have an operand of two axes or more. */
  function full(declaration) {
    const axes = (sample) => Math.max(...declaration.inputs.map((name) => sample.inputs[name].shape.length));
    const found = samplesOf(declaration);
    if (found.length === 0) throw new Error(`docs: expected samples of ${declaration.name} that have elements, or an example in scripts/docs/examples.js`);
    return [...found.filter((sample) => axes(sample) > 1), ...found.filter((sample) => axes(sample) < 2)];
  }

  /** Runs the op; where it has no parameters, through the public function, which may take more. */
  function run(declaration, xs, params) {
    const { name, inputs } = declaration;
    if (params === undefined && typeof tapir[name] === "function" && !reducing.includes(name)) return tapir[name](...xs);
    return apply(declaration, Object.fromEntries(inputs.map((input, i) => [input, xs[i]])), params);
  }

  function numbers(y) {
    return Array.from(y.data());
  }

  function agree(a, b) {
    return a.length === b.length && a.every((x, i) => Object.is(x, b[i]) || x === b[i] || Math.abs(x - b[i]) <= 1e-4 * Math.max(1, Math.abs(b[i])));
  }

  /** Whether the public function refuses the dtype of its operands, so that the op never sees it. */
  function refused(name, original, given) {
    const refuses = (xs) => {
      try {
        tapir[name](...xs);
        return false;
      } catch (error) {
        return error instanceof DtypeError;
      }
    };
    return typeof tapir[name] === "function" && !refuses(original) && refuses(given);
  }

  /**
   * Whether the op gives in `dtype` what it gives for the same numbers in the dtypes of its samples. Some parameters, such as a
   * fraction as the value of a padding, may be refused.
   */
  function takes(declaration, dtype, operandAt) {
    let taken = 0;
    for (const [seed, sample] of (dtypeExamples[declaration.name] ?? full(declaration)).entries()) {
      const verdict = scope(() => {
        const original = operandsOf(declaration, sample, seed);
        const rounded = original.map((x, i) => (operandAt(x, i) ? x.to(dtype).to(x.dtype) : x));
        const expected = numbers(run(declaration, rounded, sample.params));
        const given = operandsOf(declaration, sample, seed).map((x, i) => (operandAt(x, i) ? x.to(dtype) : x));
        if (refused(declaration.name, original, given)) return "wrong";
        try {
          return agree(numbers(run(declaration, given, sample.params)), expected) ? "right" : "wrong";
        } catch (error) {
          if (error instanceof TapirError) return "refused";
          throw error;
        }
      });
      if (verdict === "wrong") return false;
      if (verdict === "right") taken++;
    }
    return taken > 0;
  }

  /** The first sample whose output has elements too. */
  function shown(declaration) {
    const samples = full(declaration);
    return samples.find((sample) => scope(() => run(declaration, operandsOf(declaration, sample, 0), sample.params).size > 0)) ?? samples[0];
  }

  /** An example of shapes, and the dtypes that the operands may have. */
  function shapesAndDtypes(declaration) {
    const sample = shown(declaration);
    const { example, dtypes, output } = scope(() => {
      const xs = operandsOf(declaration, sample, 0);
      const y = run(declaration, xs, sample.params);
      const shape = (t) => `[${t.shape.join(", ")}]`;
      return {
        example: `${declaration.inputs.map((name, i) => `${name} ${shape(xs[i])}`).join(", ")} -> ${shape(y)}`,
        dtypes: xs.map((x) => x.dtype),
        output: y.dtype,
      };
    });
    const parts = [];
    const floats = declaration.inputs.filter((_, i) => dtypes[i] === "float64");
    if (floats.length > 0) {
      const found = FLOATS_AND_OTHERS.filter((dtype) => takes(declaration, dtype, (x) => x.dtype === "float64"));
      parts.push((floats.length === declaration.inputs.length ? "" : `${floats.join(", ")}: `) + found.join(", "));
    }
    for (const [i, name] of declaration.inputs.entries()) {
      if (dtypes[i] === "float64") continue;
      // the other dtype of bytes; beyond, what a function checks is in its comment
      const other = dtypes[i] === "bool" && takes(declaration, "uint8", (_, at) => at === i) ? ", uint8" : "";
      parts.push(`${name}: ${dtypes[i]}${other}`);
    }
    return { example, dtypes: parts.join("; "), output: output === "float64" ? "" : output };
  }

  /** Each order's derivative in random directions: how many there are, and from which on all are 0. */
  function differentiated(xs, f) {
    const random = new Random(7);
    const floats = xs.filter((x) => x.dtype === "float64");
    if (floats.length === 0) return { never: "no operand is a float" };
    for (const x of floats) x.requiresGrad = true;
    const y = f(...xs);
    if (!y.dtype.startsWith("float")) return { never: `the output is ${y.dtype}` };
    let terms = [y];
    for (let order = 1; order <= ORDERS; order++) {
      const directed = terms.map((t) =>
        t
          .to("float64")
          .mul(random.operand({ shape: t.shape, low: 0.5, high: 1.5 }))
          .sum(),
      );
      const total = directed.reduce((a, b) => a.add(b));
      if (!total.requiresGrad) return { zero: order };
      for (const x of floats) x.grad = undefined;
      try {
        total.backward({ createGraph: true });
      } catch (error) {
        if (!(error instanceof GradientError)) throw error;
        return { orders: order - 1 };
      }
      terms = floats.map((x) => x.grad).filter((g) => g !== undefined);
      if (terms.every((g) => numbers(g).every((value) => Math.abs(value) <= ZERO))) return { zero: order };
    }
    return {};
  }

  /** What several tries say together: an order is 0 if it is 0 in each. */
  function summary(results) {
    const { never } = results[0];
    if (never !== undefined) return { short: "no", long: `no, ${never}` };
    const orders = Math.min(...results.map((r) => r.orders ?? ORDERS));
    if (orders === 0) return { short: "no", long: "no, a gradient that arrives is a GradientError" };
    if (orders < ORDERS) return { short: `${orders} times`, long: `${orders} times` };
    const zero = Math.max(...results.map((r) => r.zero ?? ORDERS + 1));
    if (zero === 1) return { short: "0", long: "its derivative is 0 everywhere" };
    if (zero > ORDERS) return { short: "any", long: "any number of times" };
    return { short: `any, 0 from order ${zero}`, long: `any number of times, 0 from order ${zero} on` };
  }

  function opOrders(declaration) {
    const samples = declaration.vjp === "none" ? full(declaration).slice(0, 1) : full(declaration);
    return summary(
      samples.map((sample, seed) =>
        scope(() =>
          differentiated(operandsOf(declaration, sample, seed), (...xs) =>
            apply(declaration, Object.fromEntries(declaration.inputs.map((name, i) => [name, xs[i]])), sample.params),
          ),
        ),
      ),
    );
  }

  /** As opOrders, of a function that is made of ops; undefined if no call is known. */
  function functionOrders(name, types) {
    const required = types.filter((type) => type !== "optional");
    const [operands, call] = calls[name] ?? [];
    if (operands === undefined && !(required.length > 0 && required.every((type) => type === "Tensor" || type === "Operand"))) return undefined;
    const specs = operands ?? required.map(() => ({ shape: [2, 3] }));
    const f = call ?? ((...xs) => tapir[name](...xs));
    const random = new Random(3);
    return summary(
      Array.from({ length: FIRST }, () =>
        scope(() =>
          differentiated(
            specs.map((spec) => random.operand(spec)),
            f,
          ),
        ),
      ),
    );
  }

  return { shapesAndDtypes, opOrders, functionOrders };
}
