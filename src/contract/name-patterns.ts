/** The shapes of names, apart from their schemas: a short-lived process checks them without loading the schemas. */

export const commitPattern = /^[0-9a-f]{40}$/;

export const repoNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export const NAME_CHARS = 64;

/** False for endings that git or takt use for files of their own. */
export const isRepoNameEnding = (name: string): boolean => !name.endsWith('.git') && !name.endsWith('.lock');

export const isRepoName = (name: string): boolean =>
  name.length <= NAME_CHARS && repoNamePattern.test(name) && isRepoNameEnding(name);
