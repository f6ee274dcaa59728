import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { prStatus } from '../../../contract/operations/pr.ts';
import type { ReplyCache } from '../../../github/conditional-api.ts';
import { pullsOf } from '../../../store/pull-requests.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';
import { lookAndStore } from '../../pulls/look-at-pulls.ts';
import { severalAtATime } from '../../../platform/several-at-a-time.ts';
import { listPulls, pullsTogether } from './pull-view.ts';

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
  const isMerged = pullsTogether(pullsOf(parts.database, name)) === 'merged';
  return { workspace: name, ...listPulls(parts, { workspace: name }), isMerged };
}
