// The elementwise part of a step of a recurrent network, forward and backward each in one pass, as cuDNN fuses it (Appleyard
// et al. 2016, section 3.1). a, b: the products of input and of state, a row of gates side by side; cols: cells a row.
import { C, constant } from "./constants";
import { sigmoid, tanh } from "./elementary";
import { gather, scatter } from "./elementwise/map";
import { at, LANES } from "./vector";

/** 1 - x. */
// @ts-ignore: decorator
@inline function less(x: v128): v128 { return v128.sub<real>(constant(C.one), x); }
/** x (1 - x), the slope of a sigmoid from its value. */
// @ts-ignore: decorator
@inline function slope(x: v128): v128 { return v128.mul<real>(x, less(x)); }
/** 1 - x^2, the slope of tanh from its value. */
// @ts-ignore: decorator
@inline function tanhSlope(x: v128): v128 { return nmadd(x, x, constant(C.one)); }
/** The sum of both products for one gate. */
// @ts-ignore: decorator
@inline function gate(a: usize, b: usize, left: i32): v128 {
  return v128.add<real>(gather<real>(a, 1, left), gather<real>(b, 1, left));
}

/**
 * c' = f c + i g, h' = o tanh(c') with the gates i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of a + b (Hochreiter and Schmidhuber
 * 1997, Gers et al. 2000); a, b [rows, 4 cols], c [rows, cols], y: h' [rows, cols] and `apart` elements on c'.
 */
export function lstmCell(y: usize, a: usize, b: usize, c: usize, rows: i32, cols: i32, apart: i32): void {
  const g1 = at(cols), g2 = at(2 * cols), g3 = at(3 * cols), row = at(4 * cols);
  for (; rows > 0; rows--) {
    for (let j: i32 = 0; j < cols; j += LANES) {
      const left = cols - j, o = at(j);
      const i = sigmoid(gate(a + o, b + o, left));
      const f = sigmoid(gate(a + o + g1, b + o + g1, left));
      const g = tanh(gate(a + o + g2, b + o + g2, left));
      const out = sigmoid(gate(a + o + g3, b + o + g3, left));
      const next = madd(f, gather<real>(c + o, 1, left), v128.mul<real>(i, g));
      scatter<real>(y + o, v128.mul<real>(out, tanh(next)), left);
      scatter<real>(y + o + at(apart), next, left);
    }
    a += row;
    b += row;
    c += g1;
    y += g1;
  }
}

/** dx [rows, 5 cols]: the gradients of the gates before their functions, then that of c; dy: that of h' and `apart` elements on that of c'. */
export function lstmCellGrad(dx: usize, dy: usize, a: usize, b: usize, c: usize, rows: i32, cols: i32, apart: i32): void {
  const g1 = at(cols), g2 = at(2 * cols), g3 = at(3 * cols), row = at(4 * cols);
  for (; rows > 0; rows--) {
    for (let j: i32 = 0; j < cols; j += LANES) {
      const left = cols - j, o = at(j);
      const i = sigmoid(gate(a + o, b + o, left));
      const f = sigmoid(gate(a + o + g1, b + o + g1, left));
      const g = tanh(gate(a + o + g2, b + o + g2, left));
      const out = sigmoid(gate(a + o + g3, b + o + g3, left));
      const before = gather<real>(c + o, 1, left);
      const t = tanh(madd(f, before, v128.mul<real>(i, g)));
      const dh = gather<real>(dy + o, 1, left);
      const e = madd(v128.mul<real>(dh, out), tanhSlope(t), gather<real>(dy + o + at(apart), 1, left));
      scatter<real>(dx + o, v128.mul<real>(v128.mul<real>(e, g), slope(i)), left);
      scatter<real>(dx + o + g1, v128.mul<real>(v128.mul<real>(e, before), slope(f)), left);
      scatter<real>(dx + o + g2, v128.mul<real>(v128.mul<real>(e, i), tanhSlope(g)), left);
      scatter<real>(dx + o + g3, v128.mul<real>(v128.mul<real>(dh, t), slope(out)), left);
      scatter<real>(dx + o + row, v128.mul<real>(e, f), left);
    }
    a += row;
    b += row;
    c += g1;
    dy += g1;
    dx += row + g1;
  }
}

/**
 * y = (1 - z) n + z x with the gates r, z, n = sigmoid(a + b), sigmoid(a + b), tanh(a + r b) (Cho et al. 2014, with the product of the
 * state before the gate r, as in cuDNN); a, b [rows, 3 cols], x, the state, and y [rows, cols].
 */
export function gruCell(y: usize, a: usize, b: usize, x: usize, rows: i32, cols: i32): void {
  const g1 = at(cols), g2 = at(2 * cols), row = at(3 * cols);
  for (; rows > 0; rows--) {
    for (let j: i32 = 0; j < cols; j += LANES) {
      const left = cols - j, o = at(j);
      const r = sigmoid(gate(a + o, b + o, left));
      const z = sigmoid(gate(a + o + g1, b + o + g1, left));
      const n = tanh(madd(r, gather<real>(b + o + g2, 1, left), gather<real>(a + o + g2, 1, left)));
      scatter<real>(y + o, madd(z, v128.sub<real>(gather<real>(x + o, 1, left), n), n), left);
    }
    a += row;
    b += row;
    x += g1;
    y += g1;
  }
}

/** dx [rows, 7 cols]: the gradients of a, of b, and of the state. */
export function gruCellGrad(dx: usize, dy: usize, a: usize, b: usize, x: usize, rows: i32, cols: i32): void {
  const g1 = at(cols), g2 = at(2 * cols), row = at(3 * cols);
  for (; rows > 0; rows--) {
    for (let j: i32 = 0; j < cols; j += LANES) {
      const left = cols - j, o = at(j);
      const r = sigmoid(gate(a + o, b + o, left));
      const z = sigmoid(gate(a + o + g1, b + o + g1, left));
      const product = gather<real>(b + o + g2, 1, left);
      const n = tanh(madd(r, product, gather<real>(a + o + g2, 1, left)));
      const g = gather<real>(dy + o, 1, left);
      const dn = v128.mul<real>(v128.mul<real>(g, less(z)), tanhSlope(n));
      const dr = v128.mul<real>(v128.mul<real>(dn, product), slope(r));
      const dz = v128.mul<real>(v128.mul<real>(g, v128.sub<real>(gather<real>(x + o, 1, left), n)), slope(z));
      const da = dx + o, db = da + row;
      scatter<real>(da, dr, left);
      scatter<real>(da + g1, dz, left);
      scatter<real>(da + g2, dn, left);
      scatter<real>(db, dr, left);
      scatter<real>(db + g1, dz, left);
      scatter<real>(db + g2, v128.mul<real>(dn, r), left);
      scatter<real>(db + row, v128.mul<real>(g, z), left);
    }
    a += row;
    b += row;
    x += g1;
    dy += g1;
    dx += 2 * row + g1;
  }
}
