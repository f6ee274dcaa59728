import { lstat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { shellWord } from '../../git/shell-word.ts';

/** The command that lets this user read and write a path again: it becomes this user's, or is opened to its owner. */
export async function rightsFix(path: string): Promise<string> {
  const { closed, owner } = await nearestSeen(path);
  return owner === process.getuid?.() ? openingFix(closed) : ownerFix(closed);
}

export const ownerFix = (path: string): string => `\`sudo chown -R ${userName()} ${shellWord(path)}\``;

export const openingFix = (path: string): string => `\`chmod -R u+rwX ${shellWord(path)}\``;

/** What nobody may even see lies in a folder that is closed. */
async function nearestSeen(path: string): Promise<{ closed: string; owner: number }> {
  try {
    return { closed: path, owner: (await lstat(path)).uid };
  } catch (error) {
    if (dirname(path) === path) throw error;
    return nearestSeen(dirname(path));
  }
}

/** A user id without an entry in the list of users has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
    return String(process.getuid?.());
  }
}
