// What has no text that tells it from others.
const identities = new WeakMap<object, number>();
let identified = 0;

/** A number for a function or an object with more to it than its fields. */
export function identityOf(value: object): number {
  let id = identities.get(value);
  if (id === undefined) {
    id = identified++;
    identities.set(value, id);
  }
  return id;
}
