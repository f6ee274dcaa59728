import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { readTextIfThere, writeFileDurably } from '../platform/files.ts';

/** The operator's token of a home, made at the first start; only the owner can read the file. */
export async function operatorToken(file: string): Promise<string> {
  const known = (await readTextIfThere(file))?.trim();
  if (known !== undefined && /^[0-9a-f]{64}$/.test(known)) {
    await chmod(file, 0o600);
    return known;
  }
  const token = randomBytes(32).toString('hex');
  await writeFileDurably(file, `${token}\n`, 0o600);
  return token;
}
