import { Fault, faultFromReport } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { prStatus } from '../../../contract/operations/pr.ts';
import type { ReplyCache } from '../../../github/conditional-api.ts';
import { pullsOf, type StoredPull } from '../../../store/pull-requests.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';
import { lookAndStore } from '../../pulls/look-at-pulls.ts';
import { severalAtATime } from '../../../platform/several-at-a-time.ts';
import { currentPulls, listPulls, workspaceStanding } from './pull-view.ts';

type StatusParts = Pick<ServiceParts, 'bus' | 'config' | 'database' | 'log'>;

const AT_ONCE = 4;

/** Looks at all pull requests of a workspace now; one that cannot be looked at keeps what was seen, and its fault. */
export async function lookAtPulls(
  parts: StatusParts,
  { workspace }: ParamsOf<typeof prStatus>,
  { signal, cache }: Pick<Call, 'signal'> & { readonly cache: ReplyCache },
): Promise<ReplyOf<typeof prStatus>> {
  const { name } = workspaceOf(parts.database, workspace);
  const pulls = pullsOf(parts.database, name);
  if (pulls.length === 0) throw new Fault('PR_NOT_FOUND', `The workspace ${name} has no pull requests.`);
  await severalAtATime(pulls, { limit: AT_ONCE, signal }, (pull, ended) =>
    lookAndStore(parts, pull, { cache, signal: ended }),
  );
  const current = currentPulls(pullsOf(parts.database, name));
  // What was seen before is no answer to a question about now.
  if (current.every(({ fault }) => fault !== null)) throw faultOfLook(current[0]!);
  const isMerged = workspaceStanding(parts.database, name) === 'merged';
  return { workspace: name, ...listPulls(parts, { workspace: name }), isMerged };
}

/** Why a look failed, as the fault of whoever needs what it would have seen. */
export function faultOfLook({ repo, fault }: StoredPull): Fault {
  const { code, message, hint } = faultFromReport({ code: 'GITHUB_UNREACHABLE', message: '', ...fault });
  return new Fault(code, `${repo}: ${message}`, { hint });
}
