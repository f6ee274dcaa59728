import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  AttemptCancel,
  AttemptHost,
  AttemptOutcome,
  type AttemptRequest,
  AttemptWorkProcess,
} from '../contract/attempt.ts';
import { isThere, readTextIfThere, syncFolder, writeFileDurably } from '../platform/files.ts';

/** Who has the attempt: nobody yet, a host, or the service, which revoked it. */
export type Taken = AttemptHost | 'revoked' | 'unreadable' | undefined;

const Revocation = z.object({ revoked: z.literal(true) });

/** A file of the spool that cannot be what a host wrote. */
export class SpoolDamage extends Error {
  override readonly name = 'SpoolDamage';
}

/** Makes the folder of an attempt, whole or not at all; one that is there already stays. */
export async function createSpool(spool: string, request: AttemptRequest): Promise<void> {
  const folder = join(spool, request.attempt);
  if (await isThere(folder)) return;
  const draft = `${folder}.${randomBytes(4).toString('hex')}.draft`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await writeFileDurably(join(draft, 'request.json'), JSON.stringify(request), 0o600);
  await rename(draft, folder);
  await syncFolder(spool);
}

/** Reads `taken`; the answer is final once it is not undefined. */
export async function readTaken(folder: string): Promise<Taken> {
  const text = await readTextIfThere(join(folder, 'taken'));
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (Revocation.safeParse(value).success) return 'revoked';
  return AttemptHost.safeParse(value).data ?? 'unreadable';
}

/** Makes sure that no host can take the attempt any more. False if one has. */
export async function revoke(folder: string): Promise<boolean> {
  const file = join(folder, `revocation.${randomBytes(4).toString('hex')}.json`);
  await writeFile(file, JSON.stringify({ revoked: true }));
  try {
    await link(file, join(folder, 'taken'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // An earlier service may have revoked it and been killed right after.
    return (await readTaken(folder)) === 'revoked';
  } finally {
    await rm(file, { force: true });
  }
}

/** Gives a revoked attempt a fresh folder. A host that is late finds either folder taken, or takes the fresh one. */
export async function renewSpool(spool: string, request: AttemptRequest): Promise<void> {
  const folder = join(spool, request.attempt);
  const aside = `${folder}.${randomBytes(4).toString('hex')}.revoked`;
  await rename(folder, aside);
  await createSpool(spool, request);
  await rm(aside, { recursive: true, force: true });
}

/** What the host said at its end: undefined while there is none. Throws `SpoolDamage` if it cannot be read. */
export async function readOutcome(folder: string): Promise<AttemptOutcome | undefined> {
  const text = await readTextIfThere(join(folder, 'outcome.json'));
  if (text === undefined) return undefined;
  const outcome = AttemptOutcome.safeParse(parseJson(text));
  if (outcome.success) return outcome.data;
  throw new SpoolDamage(`outcome.json is not what a host writes: ${z.prettifyError(outcome.error)}`);
}

export async function readWorkProcess(folder: string): Promise<AttemptWorkProcess | undefined> {
  const text = await readTextIfThere(join(folder, 'work.json'));
  return text === undefined ? undefined : AttemptWorkProcess.safeParse(parseJson(text)).data;
}

export async function writeCancel(folder: string, cancel: AttemptCancel): Promise<void> {
  await writeFileDurably(join(folder, 'cancel.json'), JSON.stringify(cancel));
}

/** Why the attempt was asked to end, also by a service before this one. */
export async function readCancel(folder: string): Promise<AttemptCancel['reason'] | undefined> {
  const text = await readTextIfThere(join(folder, 'cancel.json'));
  return text === undefined ? undefined : (AttemptCancel.safeParse(parseJson(text)).data?.reason ?? 'cancelled');
}

/** The last words of a host that did not get as far as its outcome. */
export async function readHostLog(folder: string): Promise<string> {
  try {
    return (await readFile(join(folder, 'host.log'), 'utf8')).trim().slice(-2_000);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Removes what is in the spool and belongs to no attempt that is alive. */
export async function sweepSpool(spool: string, alive: ReadonlySet<string>): Promise<void> {
  await mkdir(spool, { recursive: true, mode: 0o700 });
  for (const name of await readdir(spool)) {
    if (!alive.has(name)) await rm(join(spool, name), { recursive: true, force: true });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
