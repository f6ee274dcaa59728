import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../contract/faults.ts';
import { readRegularFile } from '../platform/files.ts';
import { contactUpstream } from './contact.ts';
import { foreignConfig } from './foreign-config.ts';
import { linesOf } from './git.ts';
import { upstreamFault } from './upstream-fault.ts';

/** What an upstream says that it has. */
export interface UpstreamRefs {
  /** The branch that its HEAD names; null if it does not say. */
  readonly defaultBranch: string | null;
  readonly heads: ReadonlyMap<string, string>;
}

interface Asking {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

/** More commits than any history is cut off at. */
const SHALLOW_LIMIT_BYTES = 64 * 1024 * 1024;
/** Of a name by SHA-256 in hexadecimal; those by SHA-1 have 40. */
const SHA256_LENGTH = 64;

/** The path of an upstream on this machine, or null if it is elsewhere. */
export function localUpstream(upstream: string): string | null {
  if (upstream.startsWith('/')) return upstream;
  return upstream.startsWith('file://') ? fileURLToPath(upstream) : null;
}

/**
 * Lists the branches of an upstream. `folder` is any folder of takt's own. Faults: UPSTREAM_*, HOST_KEY_*,
 * PROXY_REFUSED; where no person is asked, in less than ten seconds.
 */
export async function askUpstream(folder: string, upstream: string, options: Asking): Promise<UpstreamRefs> {
  const heads = new Map<string, string>();
  let named: string | null = null;
  let headCommit: string | null = null;
  for (const line of await listed(folder, upstream, ['--symref'], ['HEAD', 'refs/heads/*'], options)) {
    const [value = '', ref = ''] = line.split('\t');
    if (ref === 'HEAD' && value.startsWith('ref: refs/heads/')) named = value.slice('ref: refs/heads/'.length);
    else if (ref === 'HEAD') headCommit = value;
    else if (ref.startsWith('refs/heads/')) heads.set(ref.slice('refs/heads/'.length), value);
  }
  return { defaultBranch: named !== null && heads.has(named) ? named : likelyDefault(heads, headCommit), heads };
}

/** Where these branches of an upstream stand now; those that it lacks are left out. Faults as of `askUpstream`. */
export async function askUpstreamBranches(
  folder: string,
  upstream: string,
  branches: readonly string[],
  options: Asking,
): Promise<Map<string, string>> {
  const refs = branches.map((branch) => `refs/heads/${branch}`);
  const found = new Map<string, string>();
  for (const line of await listed(folder, upstream, [], refs, options)) {
    const [commit = '', ref = ''] = line.split('\t');
    // A pattern also fits a longer ref that ends in it.
    if (refs.includes(ref)) found.set(ref.slice('refs/heads/'.length), commit);
  }
  return found;
}

async function listed(
  folder: string,
  upstream: string,
  flags: readonly string[],
  refs: readonly string[],
  options: Asking,
): Promise<string[]> {
  refuseOption(upstream);
  const args = ['ls-remote', ...flags, '--', upstream, ...refs];
  const { result, contact } = await contactUpstream(folder, args, { ...options, upstream });
  if (result.exitCode === 0) {
    const lines = linesOf(result.stdout.toString('utf8'));
    if (lines.some((line) => !line.startsWith('ref: ') && line.indexOf('\t') === SHA256_LENGTH))
      throw new Fault('UPSTREAM_UNSUPPORTED', `The upstream ${upstream} names its objects by SHA-256.`);
    return lines;
  }
  throw await upstreamFault({ ...options, folder, upstream, words: result.stderr, contact });
}

/** Faults with UPSTREAM_PARTIAL if an upstream on this disk lacks objects on purpose; of others, a fetch shows it. */
export async function refusePartialUpstream(
  folder: string,
  upstream: string,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const path = localUpstream(upstream);
  if (path === null) return;
  for (const gitFolder of [path, join(path, '.git'), `${path}.git`]) {
    if (!(await isFolder(join(gitFolder, 'objects')))) continue;
    const lack = await lackOfObjects(folder, gitFolder, { signal });
    if (lack === 'shallow') throw shallow(upstream);
    if (lack === 'partial') throw partial(upstream, 'a partial clone, which fetches missing files when asked');
    return;
  }
}

/** Whether a repository on this disk lacks objects on purpose. `folder` is any folder of takt's own. */
export async function lackOfObjects(
  folder: string,
  gitFolder: string,
  { signal }: { signal: AbortSignal },
): Promise<'shallow' | 'partial' | null> {
  const packFolder = join(gitFolder, 'objects', 'pack');
  const packs = (await isFolder(packFolder)) ? await readdir(packFolder) : [];
  if (packs.some((name) => name.endsWith('.promisor'))) return 'partial';
  const shallowCommits = await readRegularFile(join(gitFolder, 'shallow'), SHALLOW_LIMIT_BYTES);
  if (shallowCommits?.toString('utf8').trim()) return 'shallow';
  const pattern = '^(extensions\\.partialclone|remote\\..*\\.promisor)$';
  const values = await foreignConfig(folder, { gitFolder, pattern }, { signal });
  return values.length === 0 ? null : 'partial';
}

export function shallow(upstream: string): Fault {
  return partial(
    upstream,
    'shallow: it lacks the older part of its history',
    `\`git fetch --unshallow\` in ${upstream} completes it; or name the repository that it came from.`,
  );
}

function partial(upstream: string, how: string, hint?: string): Fault {
  return new Fault('UPSTREAM_PARTIAL', `The upstream ${upstream} is ${how}.`, hint === undefined ? {} : { hint });
}

/** Servers that do not name HEAD's branch (old ones, and a detached HEAD) still tell its commit. */
function likelyDefault(heads: ReadonlyMap<string, string>, headCommit: string | null): string | null {
  if (heads.size === 1) return [...heads.keys()][0]!;
  const atHead = [...heads].filter(([, commit]) => commit === headCommit).map(([name]) => name);
  return (
    atHead.find((name) => name === 'main' || name === 'master') ??
    atHead[0] ??
    ['main', 'master'].find((name) => heads.has(name)) ??
    null
  );
}

function refuseOption(upstream: string): void {
  if (upstream.startsWith('-')) throw new Fault('INPUT_INVALID', `${upstream} is no address of a repository.`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
