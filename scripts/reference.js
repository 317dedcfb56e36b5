// Elementary functions to more than 100 bits, in BigInt fixed point: what scripts/ulp.js measures the kernels against.
// A number is {m, f}: m / 2^f. Each function takes doubles and chooses f so that 190 bits or more of the result are right.

const GUARD = 256;

const abs = (a) => (a < 0n ? -a : a);
/** a / b rounded to nearest. */
const divide = (a, b) => (2n * a + b) / (2n * b);
const roundedQuotient = (a, b) => (a < 0n ? -divide(-a, b) : divide(a, b));

const cell = new DataView(new ArrayBuffer(8));
/** A finite double as [m, e]: m 2^e. */
function parts(x) {
  cell.setFloat64(0, x);
  const bits = cell.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const m = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return [bits >> 63n ? -m : m, Math.max(biased, 1) - 1075];
}
/** x in fixed point; exact if f is large enough. */
function fixed(x, f) {
  const [m, e] = parts(x);
  return e + f >= 0 ? m << BigInt(e + f) : m >> BigInt(-e - f);
}
/** Bits before the first one of |x|: 0 for x >= 1. */
function leading(x) {
  const e = Math.floor(Math.log2(Math.abs(x)));
  return Number.isFinite(e) ? Math.max(0, 1 - e) : 0;
}
/** Fractional bits for an argument: relative precision, and all of the argument's own bits. */
const bitsFor = (x) => GUARD + leading(x) + 64;

const cache = new Map();
/** A constant at f bits, computed once for every 64 bits. */
function constant(name, f, compute) {
  const step = Math.ceil(f / 64) * 64 + 64;
  const key = `${name} ${step}`;
  if (!cache.has(key)) cache.set(key, compute(step));
  return cache.get(key) >> BigInt(step - f);
}
/** atan(1 / n) by its series. */
function inverseTangent(n, f) {
  let term = (1n << BigInt(f)) / n;
  let sum = term;
  for (let k = 3n; term !== 0n; k += 2n) {
    term = -term / (n * n);
    sum += term / k;
  }
  return sum;
}
// Machin 1706: pi / 4 = 4 atan(1/5) - atan(1/239)
const pi = (f) => constant("pi", f, (n) => 4n * (4n * inverseTangent(5n, n) - inverseTangent(239n, n)));
/** atanh(1 / n) by its series. */
function inverseTanh(n, f) {
  let term = (1n << BigInt(f)) / n;
  let sum = term;
  for (let k = 3n; term !== 0n; k += 2n) {
    term /= n * n;
    sum += term / k;
  }
  return sum;
}
// ln 2 = 2 atanh(1/3), ln 10 = 3 ln 2 + 2 atanh(1/9)
const ln2 = (f) => constant("ln2", f, (n) => 2n * inverseTanh(3n, n));
const ln10 = (f) => constant("ln10", f, (n) => 6n * inverseTanh(3n, n) + 2n * inverseTanh(9n, n));

/** Square root of a >= 0 at f bits. */
function squareRoot(a, f) {
  const n = a << BigInt(f);
  if (n === 0n) return 0n;
  let x = 1n << BigInt((n.toString(16).length * 4 + 2) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** exp(r) - 1 for fixed r, |r| < 1: series of r / 2^8, then (1 + y)^2 - 1 = y (2 + y) eight times. */
function expm1Series(r, f) {
  const shift = BigInt(f);
  const small = r >> 8n;
  let term = small;
  let y = small;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = ((term * small) >> shift) / k;
    y += term;
  }
  for (let i = 0; i < 8; i++) y = (y * ((2n << shift) + y)) >> shift;
  return y;
}
/** exp of fixed x as {m, f}. */
function expFixed(x, f) {
  const n = roundedQuotient(x, ln2(f));
  const m = (1n << BigInt(f)) + expm1Series(x - n * ln2(f), f);
  return { m, f: f - Number(n) };
}
function asFixed({ m, f }, at) {
  return at >= f ? m << BigInt(at - f) : m >> BigInt(f - at);
}

/** log of the fixed x > 0, from an approximation with a small absolute error, by one step of Halley's method. */
function logFixed(x, guess, f) {
  const y = fixed(guess, f);
  const e = expFixed(y, f);
  const a = e.f >= f ? x << BigInt(e.f - f) : x;
  const b = e.f >= f ? e.m : e.m << BigInt(f - e.f);
  return y + (2n * (a - b) * (1n << BigInt(f))) / (a + b);
}

/** [sin, cos] of fixed x, |x| < 1. */
function circularSeries(x, f) {
  const shift = BigInt(f);
  const z = (x * x) >> shift;
  let s = x;
  let c = 1n << shift;
  let term = x;
  for (let k = 2n; term !== 0n && term !== -1n; k += 2n) {
    term = -((term * z) >> shift) / (k * (k + 1n));
    s += term;
  }
  term = 1n << shift;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    term = -((term * z) >> shift) / (k * (k + 1n));
    c += term;
  }
  return [s, c];
}
/** [sin, cos] of a double at f bits. */
function circular(x, f) {
  const wide = f + Math.max(0, Math.ceil(Math.log2(Math.abs(x) + 1))) + 8;
  const half = pi(wide) >> 1n;
  const exact = fixed(x, wide);
  const n = roundedQuotient(exact, half);
  const [s, c] = circularSeries((exact - n * half) >> BigInt(wide - f), f);
  const quadrant = Number(((n % 4n) + 4n) % 4n);
  return [
    [s, c],
    [c, -s],
    [-s, -c],
    [-c, s],
  ][quadrant];
}

/** Angle of (x, y) given as integers of one scale, from an approximation. */
function angle(y, x, guess) {
  const f = bitsFor(guess);
  const [s, c] = circular(guess, f);
  const d = ((y * c - x * s) << BigInt(f)) / (x * c + y * s);
  return { m: fixed(guess, f) + d, f };
}

const one = (f) => 1n << BigInt(f);
const tooLarge = { m: 1n, f: -5000 };
const tooSmall = { m: 1n, f: 5000 };

function exponential(x) {
  if (x > 800) return tooLarge;
  if (x < -800) return tooSmall;
  const f = bitsFor(x);
  return expFixed(fixed(x, f), f);
}
function logarithm(x) {
  const guess = Math.log(x);
  const f = bitsFor(guess) + leading(x);
  return { m: logFixed(fixed(x, f), guess, f), f };
}
/** [sinh, cosh] doubled, at f bits. */
function hyperbolic(x) {
  const f = bitsFor(x) + 64;
  const e = asFixed(expFixed(abs(fixed(x, f)), f), f);
  const inverse = one(2 * f) / e;
  return [x < 0 ? inverse - e : e - inverse, e + inverse, f];
}
function over(a, b, f) {
  return { m: (a << BigInt(f)) / b, f };
}
const negated = ({ m, f }) => ({ m: -m, f });

/** The functions at finite arguments inside their domains, where the result is neither 0 nor infinite. */
export const reference = {
  exp: exponential,
  exp2(x) {
    if (x > 1100) return tooLarge;
    if (x < -1100) return tooSmall;
    const f = bitsFor(x);
    return expFixed((fixed(x, f) * ln2(f)) >> BigInt(f), f);
  },
  expm1(x) {
    if (x > 800) return tooLarge;
    if (x < -200) return { m: -1n, f: 0 };
    const f = bitsFor(x);
    const fx = fixed(x, f);
    if (Math.abs(x) < 0.5) return { m: expm1Series(fx, f), f };
    return { m: asFixed(expFixed(fx, f), f) - one(f), f };
  },
  log: logarithm,
  log2(x) {
    const { m, f } = logarithm(x);
    return over(m, ln2(f), f);
  },
  log10(x) {
    const { m, f } = logarithm(x);
    return over(m, ln10(f), f);
  },
  log1p(x) {
    const guess = Math.log1p(x);
    const f = bitsFor(guess) + leading(x);
    return { m: logFixed(one(f) + fixed(x, f), guess, f), f };
  },
  sin(x) {
    const f = bitsFor(x);
    return { m: circular(x, f)[0], f };
  },
  cos(x) {
    const f = bitsFor(x);
    return { m: circular(x, f)[1], f };
  },
  tan(x) {
    const f = bitsFor(x);
    const [s, c] = circular(x, f);
    return over(s, c, f);
  },
  asin(x) {
    const f = 2 * bitsFor(x);
    const fx = fixed(x, f);
    return angle(fx, squareRoot(one(f) - ((fx * fx) >> BigInt(f)), f), Math.asin(x));
  },
  acos(x) {
    const f = 2 * bitsFor(x);
    const fx = fixed(x, f);
    return angle(squareRoot(one(f) - ((fx * fx) >> BigInt(f)), f), fx, Math.acos(x));
  },
  atan(x) {
    return reference.atan2(x, 1);
  },
  atan2(y, x) {
    const [p, q] = [parts(y), parts(x)];
    const least = Math.min(p[1], q[1]);
    return angle(p[0] << BigInt(p[1] - least), q[0] << BigInt(q[1] - least), Math.atan2(y, x));
  },
  sinh(x) {
    if (Math.abs(x) > 800) return x > 0 ? tooLarge : negated(tooLarge);
    const [s, , f] = hyperbolic(x);
    return { m: s, f: f + 1 };
  },
  cosh(x) {
    if (Math.abs(x) > 800) return tooLarge;
    const [, c, f] = hyperbolic(x);
    return { m: c, f: f + 1 };
  },
  tanh(x) {
    if (Math.abs(x) > 100) return { m: BigInt(Math.sign(x)), f: 0 };
    const [s, c, f] = hyperbolic(x);
    return over(s, c, f);
  },
  sigmoid(x) {
    if (x < -800) return tooSmall;
    if (x > 200) return { m: 1n, f: 0 };
    const { m, f } = exponential(x);
    const at = Math.max(f, GUARD);
    const e = asFixed({ m, f }, at);
    return { m: (e << BigInt(at)) / (one(at) + e), f: at };
  },
  // 2 / sqrt(pi) exp(-x^2) times the sum of 2^k x^(2k+1) / (1 3 5 ... (2k+1))
  erf(x) {
    if (Math.abs(x) > 8) return { m: BigInt(Math.sign(x)), f: 0 };
    const f = bitsFor(x);
    const shift = BigInt(f);
    const fx = fixed(x, f);
    const z = (fx * fx) >> shift;
    let term = fx;
    let sum = fx;
    for (let k = 3n; abs(term) > 1n; k += 2n) {
      term = (2n * ((term * z) >> shift)) / k;
      sum += term;
    }
    const scaled = (asFixed(expFixed(-z, f), f) * sum) >> shift;
    return over(2n * scaled, squareRoot(pi(f), f), f);
  },
  pow(x, y) {
    const estimate = y * Math.log2(x);
    if (estimate > 1100) return tooLarge;
    if (estimate < -1200) return tooSmall;
    const { m, f } = logarithm(x);
    const [n, e] = parts(y);
    const at = GUARD + 128 + Math.max(0, leading(estimate));
    const product = m * n;
    const shift = at - f + e;
    return expFixed(shift >= 0 ? product << BigInt(shift) : product >> BigInt(-shift), at);
  },
};

/** |y - exact| in units of the last place of the exact number, in a format of `digits` bits with exponents from `least`. */
export function ulpError(y, exact, digits, least) {
  const { m, f } = exact;
  const size = abs(m);
  const length = size === 0n ? 0 : size.toString(2).length;
  const unit = Math.max(length - 1 - f, least) - digits + 1; // exponent of the unit
  const largest = digits === 24 ? 128 : 1024;
  if (length - 1 - f >= largest) return Math.abs(y) === Infinity && y > 0 === m > 0n ? 0 : Infinity;
  const [p, e] = Math.abs(y) === Infinity ? [y > 0 ? 1n : -1n, largest] : parts(y);
  if (Number.isNaN(y)) return Infinity;
  const scale = Math.max(f, -e, -unit) + 40;
  const difference = abs((p << BigInt(e + scale)) - (m << BigInt(scale - f)));
  return Number((difference << 20n) >> BigInt(unit + scale)) / 2 ** 20;
}
