import { join } from 'node:path';
import { readTextIfThere } from '../platform/files.ts';
import { gitResult } from './git.ts';

type Environment = Readonly<Record<string, string>>;

/**
 * Where git finds a name and password for an HTTP address, in the order in which it looks: the address, `.netrc`, the
 * credential helpers. Each is named for a sentence; what is in them is not looked at, and no password is given.
 */
export async function credentialSources(
  folder: string,
  url: string,
  { env, signal }: { env: Environment; signal: AbortSignal },
): Promise<string[]> {
  const { username, password, hostname } = URL.parse(url) ?? { username: '', password: '', hostname: '' };
  const inAddress = username !== '' && password !== '' ? ['the address itself'] : [];
  const inNetrc = (await isInNetrc(hostname, env)) ? ['~/.netrc'] : [];
  return [...inAddress, ...inNetrc, ...(await helpers(folder, url, { env, signal }))];
}

/** libcurl reads the file below HOME, and takes `default` for any host. */
async function isInNetrc(hostname: string, env: Environment): Promise<boolean> {
  const home = env['HOME'] ?? '';
  if (home === '' || hostname === '') return false;
  const words = ((await netrcText(join(home, '.netrc'))) ?? '').split(/\s+/);
  return words.includes('default') || words.some((word, at) => word === hostname && words[at - 1] === 'machine');
}

async function netrcText(path: string): Promise<string | undefined> {
  try {
    return await readTextIfThere(path);
  } catch (error) {
    // What this process may not read, git may not read either.
    if (['EACCES', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The helpers for an address, as their setting and their names. An empty one drops those before it. */
async function helpers(
  folder: string,
  url: string,
  { env, signal }: { env: Environment; signal: AbortSignal },
): Promise<string[]> {
  const args = ['config', '--null', '--get-regexp', '^credential\\.(.*\\.)?helper$'];
  const result = await gitResult(folder, args, { env, signal });
  let named: string[] = [];
  for (const entry of result.stdout.toString('utf8').split('\0')) {
    const [key = '', ...rest] = entry.split('\n');
    const value = rest.join('\n');
    if (key === '' || !isFor(key.slice('credential.'.length, -'.helper'.length), url)) continue;
    named = value === '' ? [] : [...named, `${key} = ${helperName(value)}`];
  }
  return named;
}

/** A section without an address is for all; one with a host is for that host. */
function isFor(section: string, url: string): boolean {
  if (section === '') return true;
  const [wanted, asked] = [URL.parse(section), URL.parse(url)];
  return wanted === null || asked === null ? false : wanted.host === asked.host || wanted.host === '';
}

/** The first word only: what follows may hold a secret, as a whole helper in a line of shell does. */
function helperName(value: string): string {
  return value.startsWith('!') ? 'a shell command' : (value.split(/\s/)[0] ?? value);
}
