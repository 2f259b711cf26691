/** A text as PostgreSQL takes it, cut to `length`: neither its text nor its jsonb holds a NUL. */
export function plain(text: string, length: number): string {
  return (text.includes('\0') ? text.replaceAll('\0', '') : text).slice(0, length);
}
