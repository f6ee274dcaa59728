import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from '../platform/process-identity.ts';
import { runProcess } from '../platform/run-process.ts';
import { dropCommand, namespaceArguments, systemArguments } from './bubblewrap.ts';
import { findProgram, systemProgram } from './find-program.ts';
import { workUser } from './work-user.ts';

/** Whether confinement works here, and in words why not; `why` is empty if it does. */
export interface ConfinementProbe {
  readonly works: boolean;
  readonly why: string;
}

const PROBE_LIMIT_MS = 10_000;

/** Starts a command in a confinement and says whether it ran: that bubblewrap is there does not mean that it may. */
export async function probeConfinement(options: { signal: AbortSignal }): Promise<ConfinementProbe> {
  const bwrap = findProgram('bwrap', process.env['PATH']);
  if (bwrap === undefined) return { works: false, why: 'bubblewrap (`bwrap`) is not installed.' };
  const isRoot = process.getuid?.() === 0;
  const setpriv = systemProgram('setpriv');
  if (isRoot && setpriv === undefined) return { works: false, why: '`setpriv` of util-linux is not installed.' };
  const command = [...dropCommand(isRoot, setpriv ?? '', workUser()), '/bin/sh', '-c', 'exit 0'];
  const { exitCode, stderr, startError } = await runProcess(
    bwrap,
    [...namespaceArguments(isRoot), ...systemArguments(), '--', ...command],
    {
      env: {},
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(PROBE_LIMIT_MS)]),
    },
  );
  if (exitCode === 0) return { works: true, why: '' };
  const words = stderr.trim().slice(0, 1000) || startError || `exit code ${exitCode}`;
  return { works: false, why: `bubblewrap does not start: ${words}` };
}

/**
 * The same, but what worked once since the machine started is believed, as a probe costs as much as a short command.
 * `folder` keeps that; it may not be writable for the work.
 */
export async function knownToWork(folder: string, options: { signal: AbortSignal }): Promise<ConfinementProbe> {
  const file = probeFile(folder);
  const here = `${bootId()} ${bubblewrapVersion()}\n`;
  if (textOf(file) === here) return { works: true, why: '' };
  const probe = await probeConfinement(options);
  if (probe.works) writeFileSync(file, here);
  return probe;
}

/** Forgets it, after a command could not be started inside: the next attempt looks anew. */
export function forgetProbe(folder: string): void {
  rmSync(probeFile(folder), { force: true });
}

const probeFile = (folder: string): string => join(folder, `works-${process.getuid?.()}`);

function bubblewrapVersion(): string {
  const bwrap = findProgram('bwrap', process.env['PATH']);
  return bwrap === undefined ? 'none' : `${bwrap} ${statSync(bwrap).mtimeMs}`;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
