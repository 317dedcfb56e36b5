// Eigenvalues and eigenvectors of a symmetric matrix in float64, in JavaScript: Householder's reduction to three diagonals, then
// implicit QL with shifts (Bowdler, Martin, Reinsch and Wilkinson 1968, tred2 and tql2; Golub and Van Loan, section 8.3).

/** A = sum of values[i] v v^T, v the eigenvector vectors[i n .. i n + n]. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Of a symmetric matrix of n x n finite elements; about 9 n^3 operations. */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): Eigen {
  const vectors = Float64Array.from(matrix);
  const values = new Float64Array(n);
  const beside = new Float64Array(n);
  tridiagonalise(vectors, values, beside, n);
  diagonalise(vectors, values, beside, n);
  return { values, vectors };
}

/** v becomes the rows of Q with A = Q T Q^T; d the diagonal of T, e[1 ..] what stands beside it. */
function tridiagonalise(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) d[j] = v[j * n + n - 1];
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(d[k]);
    let h = 0;
    if (scale === 0) {
      e[i] = d[i - 1];
      for (let j = 0; j < i; j++) {
        d[j] = v[j * n + i - 1];
        v[j * n + i] = 0;
        v[i * n + j] = 0;
      }
    } else {
      for (let k = 0; k < i; k++) {
        d[k] /= scale;
        h += d[k] * d[k];
      }
      const f = d[i - 1];
      const g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      d[i - 1] = f - g;
      reflect(v, d, e, n, i, h);
    }
    d[i] = h;
  }
  accumulate(v, d, n);
  e[0] = 0;
}

/** Applies the reflection by d, |d|^2 / 2 = h, from both sides to the leading i x i part. */
function reflect(v: Float64Array, d: Float64Array, e: Float64Array, n: number, i: number, h: number): void {
  e.fill(0, 0, i);
  for (let j = 0; j < i; j++) {
    const row = j * n;
    const f = d[j];
    v[i * n + j] = f;
    let g = e[j] + v[row + j] * f;
    for (let k = j + 1; k < i; k++) {
      g += v[row + k] * d[k];
      e[k] += v[row + k] * f;
    }
    e[j] = g;
  }
  let f = 0;
  for (let j = 0; j < i; j++) {
    e[j] /= h;
    f += e[j] * d[j];
  }
  const half = f / (h + h);
  for (let j = 0; j < i; j++) e[j] -= half * d[j];
  for (let j = 0; j < i; j++) {
    const row = j * n;
    const [f, g] = [d[j], e[j]];
    for (let k = j; k < i; k++) v[row + k] -= f * e[k] + g * d[k];
    d[j] = v[row + i - 1];
    v[row + i] = 0;
  }
}

/** Multiplies the reflections that stand in v to Q; d gets the diagonal. */
function accumulate(v: Float64Array, d: Float64Array, n: number): void {
  for (let i = 0; i < n - 1; i++) {
    v[i * n + n - 1] = v[i * n + i];
    v[i * n + i] = 1;
    const next = (i + 1) * n;
    const h = d[i + 1];
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = v[next + k] / h;
      for (let j = 0; j <= i; j++) {
        const row = j * n;
        let g = 0;
        for (let k = 0; k <= i; k++) g += v[next + k] * v[row + k];
        for (let k = 0; k <= i; k++) v[row + k] -= g * d[k];
      }
    }
    for (let k = 0; k <= i; k++) v[next + k] = 0;
  }
  for (let j = 0; j < n; j++) {
    d[j] = v[j * n + n - 1];
    v[j * n + n - 1] = 0;
  }
  v[n * n - 1] = 1;
}

/** Turns T to a diagonal, and the rows of v with it. */
function diagonalise(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  e.copyWithin(0, 1);
  e[n - 1] = 0;
  let shift = 0;
  let size = 0;
  for (let l = 0; l < n; l++) {
    size = Math.max(size, Math.abs(d[l]) + Math.abs(e[l]));
    const small = Number.EPSILON * size;
    let m = l;
    while (Math.abs(e[m]) > small) m++;
    while (m > l && Math.abs(e[l]) > small) shift += sweep(v, d, e, n, l, m);
    d[l] += shift;
    e[l] = 0;
  }
}

/** One QL step on rows l to m; answers the shift that was subtracted. */
function sweep(v: Float64Array, d: Float64Array, e: Float64Array, n: number, l: number, m: number): number {
  const before = d[l];
  let p = (d[l + 1] - before) / (2 * e[l]);
  const root = p < 0 ? -Math.hypot(p, 1) : Math.hypot(p, 1);
  d[l] = e[l] / (p + root);
  d[l + 1] = e[l] * (p + root);
  const next = d[l + 1];
  const shift = before - d[l];
  for (let i = l + 2; i < n; i++) d[i] -= shift;
  const beside = e[l + 1];
  p = d[m];
  let [c, c2, c3, s, s2] = [1, 1, 1, 0, 0];
  for (let i = m - 1; i >= l; i--) {
    c3 = c2;
    c2 = c;
    s2 = s;
    const g = c * e[i];
    const h = c * p;
    const r = Math.hypot(p, e[i]);
    e[i + 1] = s * r;
    s = e[i] / r;
    c = p / r;
    p = c * d[i] - s * g;
    d[i + 1] = h + s * (c * g + s * d[i]);
    const [row, below] = [i * n, (i + 1) * n];
    for (let k = 0; k < n; k++) {
      const x = v[below + k];
      v[below + k] = s * v[row + k] + c * x;
      v[row + k] = c * v[row + k] - s * x;
    }
  }
  p = (-s * s2 * c3 * beside * e[l]) / next;
  e[l] = s * p;
  d[l] = c * p;
  return shift;
}
