// Reading values of a shape that nobody vouches for.

export type Json = { readonly [key: string]: unknown };

/** The value as an object whose own properties may be read, or null. */
export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** An own property that is a string, or null; inherited names such as `constructor` do not count. */
export function stringOf(object: Json | null, key: string): string | null {
  const value = object && Object.hasOwn(object, key) ? object[key] : null;
  return typeof value === 'string' ? value : null;
}

/** An own property that is an array, else an empty one. */
export function listOf(object: Json | null, key: string): readonly unknown[] {
  const value = object && Object.hasOwn(object, key) ? object[key] : null;
  return Array.isArray(value) ? value : [];
}
