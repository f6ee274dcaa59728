/** One word for a POSIX shell, whatever letters it has. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
