/** A path as the list of alternates takes it, whatever characters it has. */
export function quotedPath(path: string): string {
  return /^[\w./ @+,=~-]+$/.test(path) ? path : `"${path.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
