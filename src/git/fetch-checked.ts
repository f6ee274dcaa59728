import { git } from './git.ts';

/** Fetches from a bundle or a folder that is not takt's own: every object is checked, and all refs move or none. */
export async function fetchChecked(
  rootFolder: string,
  from: string,
  refs: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const quiet = ['--quiet', '--atomic', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];
  await git(rootFolder, ['-c', 'fetch.fsckObjects=true', 'fetch', ...quiet, '--', from, ...refs], { signal });
}
