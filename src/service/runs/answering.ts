import type { StoredRun } from '../../store/runs.ts';

/** True for the step that gets the run's feedback: its first agent. Later ones find what that one said of it. */
export function isAnswering(run: Pick<StoredRun, 'feedback' | 'pipeline'>, step: string): boolean {
  return run.feedback !== null && run.pipeline.steps.find(({ kind }) => kind === 'agent')?.name === step;
}
