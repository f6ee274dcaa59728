/**
 * A desk in a process of its own: `node desk-process.ts HOME [POINT]`. Kills itself like `kill -9` when it comes to
 * POINT; without one it works until every run is over.
 */
import { pause } from '../../src/platform/wait.ts';
import { openDeskHome } from './desk-home.ts';

/** The moments at which it can be killed. */
export type KillPoint =
  | 'moves-taken-in'
  | 'starts-pinned'
  | 'run-begun'
  | 'spool-written'
  | 'attempt-inserted'
  | 'host-started'
  | 'outcome-seen'
  | 'attempt-sealed'
  | 'landing-planned'
  | 'landed-app'
  | 'landed-lib'
  | 'landing-settled'
  | 'run-ended'
  | 'folder-removed';

const [, , folder, point] = process.argv;
const home = await openDeskHome(folder);
const desk = await home.openDesk({
  debugPoint: (name) => {
    if (name === point) process.kill(process.pid, 'SIGKILL');
  },
});
await desk.look();
const signal = AbortSignal.timeout(60_000);
while (home.runs().some((run) => ['gathering', 'queued', 'running'].includes(run.state))) await pause(20, signal);
await desk[Symbol.asyncDispose]();
process.exit(0);
