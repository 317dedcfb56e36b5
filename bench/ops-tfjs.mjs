// TensorFlow.js's side of `npm run bench -- ops`. Images are NHWC there, weights [h, w, in, out].
import { inputs, opName } from "./ops-inputs.mjs";

const MISSING = { missing: true };

/** The cases over tf; what tf does not have is left out. */
function table(tf) {
  const unaries = [
    "neg",
    "abs",
    "sign",
    "square",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
  ];
  const more = ["erf", "sigmoid", "relu", "elu", "selu", "softplus", "floor", "ceil", "round"];
  const binaries = ["add", "sub", "mul", "div", "maximum", "minimum", "pow", "atan2", "greater"];
  return {
    ...Object.fromEntries([...unaries, ...more].map((name) => [name, (x) => tf[name](x)])),
    ...Object.fromEntries(binaries.map((name) => [name, (a, b) => tf[name](a, b)])),
    addRow: (a, b) => tf.add(a, b),
    mulColumn: (a, b) => tf.mul(a, b),
    where: (a, b) => tf.where(tf.greater(a, b), a, b),
    leakyRelu: (x) => tf.leakyRelu(x, 0.2),
    clamp: (x) => tf.clipByValue(x, -0.5, 0.5),
    sumRows: (x) => tf.sum(x, 1),
    sumColumns: (x) => tf.sum(x, 0),
    sumAll: (x) => tf.sum(x),
    mean: (x) => tf.mean(x, 1),
    maxRows: (x) => tf.max(x, 1),
    minRows: (x) => tf.min(x, 1),
    prodRows: (x) => tf.prod(x, 1),
    argmax: (x) => tf.argMax(x, 1),
    logsumexp: (x) => tf.logSumExp(x, 1),
    cumsum: (x) => tf.cumsum(x, 1),
    softmax: (x) => tf.softmax(x),
    logSoftmax: (x) => tf.logSoftmax(x),
    matmul: (a, b) => tf.matMul(a, b),
    matmulTransposed: (a, b) => tf.matMul(a, b, true),
    batchMatmul: (a, b) => tf.matMul(a, b),
    transpose: (x) => tf.transpose(x),
    concat: (a, b) => tf.concat([a, b], 1),
    slice: (x) => tf.slice(x, [100, 100], [800, 800]),
    pad: (x) => tf.pad(x, [[1, 1], [2, 2]]), // biome-ignore format: pairs
    tile: (x) => tf.tile(x, [2, 1]),
    reverse: (x) => tf.reverse(x, 1),
    gatherRows: (x, i) => tf.gather(x, i),
    oneHot: (i) => tf.oneHot(i, 100),
    topk: (x) => tf.topk(x, 5).values,
    conv2d: (x, w) => tf.conv2d(x, w, 1, 1),
    conv2dStride: (x, w) => tf.conv2d(x, w, 2, "valid"),
    depthwise: (x, w) => tf.depthwiseConv2d(x, w, 1, 1),
    maxPool: (x) => tf.maxPool(x, 2, 2, "valid"),
    avgPool: (x) => tf.avgPool(x, 2, 2, "valid"),
    resizeBilinear: (x) => tf.image.resizeBilinear(x, [56, 56], false, true),
  };
}

const IMAGES = ["conv2d", "conv2dStride", "depthwise", "maxPool", "avgPool", "resizeBilinear"];

function operands(tf, key) {
  return inputs(key).map(({ shape, data }, i) => {
    const t = tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32");
    if (!IMAGES.includes(key)) return t;
    if (i === 0) return tf.transpose(t, [0, 2, 3, 1]);
    return tf.transpose(t, key === "depthwise" ? [2, 3, 0, 1] : [2, 3, 1, 0]);
  });
}

/** A case "op NAME forward" or "op NAME both"; { missing } where the backend cannot run it. */
export async function opCase(tf, name) {
  const key = opName(name);
  const f = table(tf)[key];
  if (!f) return MISSING;
  const xs = operands(tf, key);
  const floats = xs.filter((x) => x.dtype === "float32");
  const rest = xs.filter((x) => x.dtype !== "float32");
  let step;
  if (name.endsWith("both")) {
    const dy = tf.tidy(() => tf.onesLike(f(...xs)));
    const both = tf.valueAndGrads((...vs) => f(...vs, ...rest));
    step = () => tf.tidy(() => void both(floats, dy));
  } else step = () => f(...xs).dispose();
  try {
    step();
  } catch (error) {
    // what the backend lacks it says in such words; anything else is a mistake of ours
    if (/not registered|not found for|no gradient|gradient function/i.test(error.message)) return MISSING;
    throw error;
  }
  return { step };
}
