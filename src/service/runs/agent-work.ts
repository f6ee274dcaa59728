import { findModelAccess } from '../../agents/model-access.ts';
import { parseRoles } from '../../agents/roles.ts';
import type { AttemptWork } from '../../contract/attempt.ts';
import { Fault } from '../../contract/faults.ts';
import type { AgentStep } from '../../contract/pipeline.ts';
import type { RunSnapshot } from '../../store/runs.ts';
import type { Desk } from './desk-parts.ts';

/** What an agent step is about, with the role as it was when the run began. */
export function agentWork(
  desk: Pick<Desk, 'environment' | 'userHome'>,
  snapshot: RunSnapshot,
  step: AgentStep,
  session: { readonly resumeSession: string | null; readonly sessionId: string | undefined },
  feedback: string | null,
): AttemptWork {
  const { settings, rolesText } = snapshot;
  const role = parseRoles(rolesText).find((each) => each.name === step.role);
  if (role === undefined) throw new Fault('ROLE_NOT_FOUND', `No role ${step.role}.`);
  if (session.sessionId === undefined) throw new Fault('INTERNAL', `The step ${step.name} has no session.`);
  return {
    kind: 'agent',
    step,
    rolePrompt: role.prompt,
    model: step.model ?? settings.model.default,
    resumeSession: session.resumeSession,
    sessionId: session.sessionId,
    maxTurns: step.maxTurns ?? settings.max_turns,
    ...(feedback === null ? {} : { feedback }),
    modelAccess: findModelAccess({ environment: desk.environment, settings, homeFolder: desk.userHome }),
  };
}
