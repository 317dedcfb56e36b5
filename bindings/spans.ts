// Which bytes a tensor lies in.
import { itemBytes } from "./dtype.js";
import type { Located } from "./memory.js";
import type { Span } from "./phases.js";

/** The bytes between the first and the last element. */
export function spanOf(t: Located): Span {
  let [from, to] = [0, 0];
  for (let i = 0; i < t.shape.length; i++) {
    const reach = (t.shape[i] - 1) * t.strides[i];
    if (reach < 0) from += reach;
    else to += reach;
  }
  const bytes = itemBytes(t.dtype);
  if (t.shape.includes(0)) return { from: t.ptr, to: t.ptr };
  return { from: t.ptr + from * bytes, to: t.ptr + (to + 1) * bytes };
}
