import type { Readable } from 'node:stream';
import type { WallsExtra } from '../confinement/walls.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { runInside, type InsideResult } from './run-inside.ts';
import { workEnvironment } from './work-environment.ts';

type Own = Partial<Pick<WallsExtra, 'env' | 'cwd' | 'readable' | 'writable'>> & {
  readonly onStdout?: (stream: Readable) => Promise<unknown>;
};

/**
 * Runs a shell script of takt's own inside the walls, in the run's folder unless `cwd` says otherwise. It sees less of
 * the system than work does, and starts the sooner.
 */
export function runOwnScript(
  desk: WalledDesk,
  script: string,
  { onStdout, env, ...more }: Own = {},
): Promise<InsideResult> {
  const { request } = desk;
  return runInside({
    ...desk,
    attempt: request.attempt,
    command: ['/bin/sh', '-c', script],
    extra: { cwd: request.runFolder, ...more, env: { ...workEnvironment(request), ...env }, isLocal: true },
    ...(onStdout === undefined ? {} : { onStdout }),
  });
}
