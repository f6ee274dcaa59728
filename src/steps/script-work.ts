import type { AttemptWork } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import type { AttemptDesk } from './attempt-desk.ts';
import { runPushWork } from './push-work.ts';
import type { WorkResult } from './work-result.ts';

type ScriptWork = Extract<AttemptWork, { kind: 'script' }>;

/** Carries out a script step that runs outside every confinement, with the operator's own credentials for git. */
export async function runScriptWork(desk: AttemptDesk, work: ScriptWork): Promise<WorkResult> {
  switch (work.script) {
    case 'push_to_github':
      return runPushWork(desk, work);
    case 'create_pr':
      return (await import('./pull-work.ts')).runPullWork(desk, work);
    case 'merge_upstream':
      throw new Fault('INTERNAL', 'A merge is made inside walls.');
  }
}
