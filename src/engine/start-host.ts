import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** How a step host is started: the bundle if there is one, else the source, which starts more slowly. */
export function stepHostCommand(): readonly string[] {
  const project = join(import.meta.dirname, '..', '..');
  const bundle = join(project, 'dist', 'step-host.js');
  return [process.execPath, existsSync(bundle) ? bundle : join(project, 'src', 'bin', 'step-host.ts')];
}

/**
 * Starts a host that outlives this process: a session of its own, and nothing of ours held open. What it says before
 * it has its own log goes to `host.log`. `onEnd` is called once, also when it could not be started.
 */
export function startHost(command: readonly string[], folder: string, onEnd: () => void): ChildProcess {
  const log = openSync(join(folder, 'host.log'), 'a', 0o600);
  try {
    const [program, ...args] = command;
    const child = spawn(program!, [...args, folder], { detached: true, stdio: ['ignore', log, log], cwd: folder });
    child.once('error', onEnd);
    child.once('exit', onEnd);
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}
