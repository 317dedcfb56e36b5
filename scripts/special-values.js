// Results at special arguments, as in C (ISO/IEC 9899, Annex F): "argument: result" or "argument argument: result".
const odd = "0: 0, -0: -0";
const logarithm = "inf: inf, 0: -inf, -0: -inf, 1: 0, -1: nan, -inf: nan, -1e-40: nan";

const table = {
  exp: "inf: inf, -inf: 0, 0: 1, -0: 1, 1e30: inf, -1e30: 0",
  exp2: "inf: inf, -inf: 0, 0: 1, 3: 8, -1: 0.5, 1e30: inf, -1e30: 0",
  expm1: `${odd}, inf: inf, -inf: -1, 1e30: inf, -1e30: -1`,
  log: logarithm,
  log2: `${logarithm}, 8: 3, 0.25: -2`,
  log10: `${logarithm}, 1000: 3, 10: 1`,
  log1p: `${odd}, inf: inf, -1: -inf, -2: nan, -inf: nan`,
  sin: `${odd}, inf: nan, -inf: nan`,
  cos: "0: 1, -0: 1, inf: nan, -inf: nan",
  tan: `${odd}, inf: nan, -inf: nan`,
  asin: `${odd}, 1: pi/2, -1: -pi/2, 2: nan, -2: nan, inf: nan`,
  acos: "1: 0, -1: pi, 0: pi/2, 2: nan, -2: nan, -inf: nan",
  atan: `${odd}, inf: pi/2, -inf: -pi/2`,
  atan2: `0 0: 0, -0 0: -0, 0 -0: pi, -0 -0: -pi, 0 1: 0, -0 1: -0, 0 -1: pi, -0 -1: -pi, 1 0: pi/2, -1 0: -pi/2, 1 -0: pi/2,
    inf inf: pi/4, inf -inf: 3pi/4, -inf inf: -pi/4, -inf -inf: -3pi/4, inf 1: pi/2, -inf 1: -pi/2,
    1 inf: 0, -1 inf: -0, 1 -inf: pi, -1 -inf: -pi, nan 1: nan, 1 nan: nan, nan inf: nan, 0 nan: nan`,
  sinh: `${odd}, inf: inf, -inf: -inf, 1e30: inf, -1e30: -inf`,
  cosh: "0: 1, -0: 1, inf: inf, -inf: inf, 1e30: inf",
  tanh: `${odd}, inf: 1, -inf: -1, 1e30: 1`,
  erf: `${odd}, inf: 1, -inf: -1, 1e30: 1`,
  sigmoid: "0: 0.5, -0: 0.5, inf: 1, -inf: 0, 1e30: 1, -1e30: 0",
  pow: `0 3: 0, -0 3: -0, 0 2: 0, -0 2: 0, -0 2.5: 0, 0 -3: inf, -0 -3: -inf, 0 -2: inf, -0 -2: inf, -0 -2.5: inf,
    0 0: 1, nan 0: 1, inf 0: 1, 1 nan: 1, 1 inf: 1, -1 inf: 1, -1 -inf: 1, nan 1: nan, 2 nan: nan, -2 0.5: nan,
    inf 2: inf, inf -2: 0, -inf 3: -inf, -inf 2: inf, -inf -3: -0, -inf -2: 0, -inf 0.5: inf, 0.5 inf: 0, 0.5 -inf: inf,
    2 inf: inf, 2 -inf: 0, -2 inf: inf, -0.5 inf: 0, 0 inf: 0, 0 -inf: inf, -2 3: -8, -2 2: 4, -2 -1: -0.5, 3 4: 81,
    2 1e30: inf, 0.5 1e30: 0, 2 -1e30: 0, 10 3: 1000, -1 1e30: 1, -1 3: -1, 9 0.5: 3`,
};

function number(text) {
  const [, sign, rest] = /^(-?)(.*)$/.exec(text);
  const names = { inf: Number.POSITIVE_INFINITY, nan: Number.NaN, pi: Math.PI, "pi/2": Math.PI / 2, "pi/4": Math.PI / 4, "3pi/4": 0.75 * Math.PI };
  const size = names[rest] ?? Number(rest);
  return sign ? -size : size;
}

/** Rows of arguments and result. */
export function specialValues(name) {
  return table[name].split(",").map((row) => row.trim().split(/[: ]+/).map(number));
}
