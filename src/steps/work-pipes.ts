import { closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { runProcess } from '../platform/run-process.ts';
import { makeHostFolder } from './host-folder.ts';

/**
 * Standard output and error of one command, as real pipes. What Node itself gives a child are sockets, which cannot be
 * opened once more: `echo oops > /dev/stderr` fails with them.
 */
export interface WorkPipes {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Their paths, by which a process that left the family is known. */
  readonly files: readonly string[];
  /** For `stdio` of spawn; to be closed as soon as the child has them, else the streams never end. */
  readonly childEnds: readonly [number, number];
  closeChildEnds(): void;
  /** Settles when nobody writes any more and everything was read. */
  readonly ended: Promise<unknown>;
  /** Stops reading, whoever may still hold the other ends. */
  destroy(): void;
}

const SYSTEM_PATH = '/usr/bin:/bin';
const NAMES = ['stdout', 'stderr'] as const;
const MAKE_LIMIT_MS = 10_000;

/**
 * Makes the named pipes of a run, whose commands come one after the other and open them anew, and gives their folder.
 * Whoever has one open may open it once more.
 */
export async function makeWorkPipes(request: AttemptRequest): Promise<string> {
  const folder = makeHostFolder(request);
  if (existsSync(join(folder, 'stderr'))) return folder;
  // Half of them, if a host was killed just then.
  rmSync(join(folder, 'stdout'), { force: true });
  const { exitCode, stderr, startError } = await runProcess(
    'mkfifo',
    ['-m', '666', '--', ...NAMES.map((name) => join(folder, name))],
    {
      env: { PATH: SYSTEM_PATH },
      signal: AbortSignal.timeout(MAKE_LIMIT_MS),
    },
  );
  if (exitCode !== 0)
    throw new Fault('INTERNAL', 'The pipes of the work could not be made.', { detail: startError ?? stderr });
  return folder;
}

export function openWorkPipes(folder: string): WorkPipes {
  const pipes = NAMES.map((name) => {
    const path = join(folder, name);
    // Without blocking: nobody writes yet.
    const socket = new Socket({
      fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      readable: true,
      writable: false,
    });
    return {
      socket,
      childEnd: openSync(path, constants.O_WRONLY),
      ended: new Promise((resolve) => socket.once('close', resolve)),
    };
  });
  const [stdout, stderr] = pipes;
  if (stdout === undefined || stderr === undefined) throw new Fault('INTERNAL', 'There are two pipes.');
  return {
    stdout: stdout.socket,
    stderr: stderr.socket,
    files: NAMES.map((name) => join(folder, name)),
    childEnds: [stdout.childEnd, stderr.childEnd],
    closeChildEnds: () => pipes.forEach(({ childEnd }) => closeSync(childEnd)),
    ended: Promise.all(pipes.map(({ ended }) => ended)),
    destroy: () => pipes.forEach(({ socket }) => socket.destroy()),
  };
}
