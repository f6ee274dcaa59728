import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { prFeedback } from '../../../contract/operations/pr.ts';
import type { ReplyCache } from '../../../github/conditional-api.ts';
import { answeredComments, pullsOf } from '../../../store/pull-requests.ts';
import { runOf } from '../../../store/runs.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';
import { feedbackOf, feedbackText } from '../../pulls/feedback-text.ts';
import type { RunDesk } from '../../runs/run-desk.ts';
import { faultOfLook, lookAtPulls } from './look-at-pulls.ts';
import { currentPulls } from './pull-view.ts';

/**
 * Starts a run whose first agent gets what checks and reviewers said. Faults, before anything is started: PR_NOT_FOUND,
 * FEEDBACK_NONE, PIPELINE_INVALID if no agent could read it, the fault of a look that failed, and those of a trigger.
 */
export async function answerFeedback(
  parts: Pick<ServiceParts, 'bus' | 'config' | 'database' | 'log'> & { readonly desk: RunDesk },
  { workspace, all }: ParamsOf<typeof prFeedback>,
  call: Pick<Call, 'signal'> & { readonly cache: ReplyCache },
): Promise<ReplyOf<typeof prFeedback>> {
  const { database, desk } = parts;
  const { name, pipeline } = workspaceOf(database, workspace);
  if (pipeline !== null && !pipeline.steps.some(({ kind }) => kind === 'agent'))
    throw new Fault('PIPELINE_INVALID', `The pipeline of ${name} has no agent, so nobody would read the feedback.`, {
      hint: 'Put an agent first, such as `fix`: `takt workspace pipeline-set`.',
    });
  await lookAtPulls(parts, { workspace: name }, call);
  const open = currentPulls(pullsOf(database, name)).filter(({ sight }) => sight.state === 'open');
  const failed = open.find(({ fault }) => fault !== null);
  if (failed !== undefined) throw faultOfLook(failed);
  const feedback = feedbackOf(open, { answered: answeredComments(database, name), all });
  if (feedback.length === 0)
    throw new Fault('FEEDBACK_NONE', `Nothing new was said of the pull requests of ${name}, and no check fails.`);
  const given = feedbackText(feedback);
  const run = await desk.trigger(name, 'feedback on the pull requests', given);
  const { number } = runOf(database, run);
  const failingChecks = feedback.reduce((sum, { failing }) => sum + failing.length, 0);
  return { run, number, workspace: name, failingChecks, comments: given.comments.length };
}
