/**
 * Lines for `.git/info/exclude` that hide exactly these paths, given from the repository's top.
 * Characters that mean something there are taken for themselves.
 */
export function excludePatterns(paths: readonly string[]): string {
  const lines = paths
    .map((path) => path.replace(/^(\.?\/)+/, '').replace(/\/+$/, ''))
    .filter((path) => path !== '' && !path.includes('\n'))
    .map((path) => `/${path.replace(/[\\*?[\]!#]/g, '\\$&').replace(/ $/, '\\ ')}\n`);
  return `# Written by takt: what it puts here and git shall not track.\n${lines.join('')}`;
}
