/** Numbers that stand for objects in keys. */
const numbers = new WeakMap<object, number>();
let next = 0;

/** Counts up with every object that it is asked for; the same object has the same number again, no other ever has it. */
export function numberOf(resource: object): number {
  let number = numbers.get(resource);
  if (number === undefined) numbers.set(resource, (number = next++));
  return number;
}
