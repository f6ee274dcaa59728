import { hostname, userInfo } from 'node:os';
import type { Settings } from '../../contract/settings.ts';
import { git } from '../../git/git.ts';
import type { Desk } from './desk-parts.ts';

const NOT_SET = 1;
const LIMIT_MS = 5_000;

/** Who the author of commits is that takt makes: as the settings say, else git's own user, else user@host. */
export async function operatorAuthor(
  settings: Pick<Settings, 'author'>,
  desk: Pick<Desk, 'userHome' | 'signal'>,
): Promise<{ name: string; email: string }> {
  if (settings.author !== undefined) return settings.author;
  const signal = AbortSignal.any([desk.signal, AbortSignal.timeout(LIMIT_MS)]);
  const setting = async (key: string): Promise<string> =>
    (await git(desk.userHome, ['config', '--get', key], { signal, okCodes: [0, NOT_SET] })).trim();
  const username = accountName();
  const name = await setting('user.name');
  const email = await setting('user.email');
  return { name: name === '' ? username : name, email: email === '' ? `${username}@${hostname()}` : email };
}

/** A user id may have no account, as in a container that was started with one of its own. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // Node says ERR_SYSTEM_ERROR, and the system's own code only in `info`.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
    return `user-${process.getuid?.()}`;
  }
}
