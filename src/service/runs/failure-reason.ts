import { Fault, type FaultCode } from '../../contract/faults.ts';
import type { FailureReason } from '../../contract/run.ts';

const classes: Partial<Record<FaultCode, FailureReason['class']>> = {
  MODEL_ACCESS_MISSING: 'model_access',
  CONFINEMENT_MISSING: 'confinement',
  GIT_FAILED: 'git',
  ROOT_DAMAGED: 'git',
  BRANCH_MISSING: 'git',
  DISK_FULL: 'disk',
  UPSTREAM_MOVED: 'upstream',
  UPSTREAM_MISSING: 'upstream',
  COMMITS_CHANGED: 'upstream',
  FILE_CHANGED: 'config',
  CONFIG_INVALID: 'config',
};

/** Why a run ends that could not go on, in a sentence that says what helps. */
export function reasonFor(error: unknown): FailureReason {
  if (error instanceof Fault) {
    return { class: classes[error.code] ?? 'internal', sentence: `${error.message} ${error.hint}` };
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return { class: 'disk', sentence: 'The disk of the home is full.' };
  return { class: 'internal', sentence: `takt could not go on: ${message}` };
}
