import type { Step } from '../contract/pipeline.ts';

/** What a list shows of a step: role and model, the command, or the script's name. */
export function stepTitle(step: Step): string {
  switch (step.kind) {
    case 'agent':
      return step.model === undefined ? step.role : `${step.role}@${step.model}`;
    case 'command':
      return step.run;
    case 'script':
      return step.script;
    case 'approve':
      return 'approve';
  }
}
