// Values that came from outside, in messages.

/** A value that is not a tensor, for a message. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array; make it a tensor with tensor([...])";
  if (typeof value !== "object") return `${typeof value} ${String(value)}`;
  const name: unknown = value.constructor?.name;
  return typeof name !== "string" || name === "Object" ? "an object" : `a ${name}`;
}
