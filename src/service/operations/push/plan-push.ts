import { didYouMean } from '../../../config/did-you-mean.ts';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { push, PushOfRepo } from '../../../contract/operations/push.ts';
import { withoutSecrets } from '../../../contract/secrets.ts';
import { planPush } from '../../../git/push.ts';
import { needsAmong, pushOrder } from '../../../git/push-order.ts';
import { mergedHeads } from '../../../store/pull-requests.ts';
import { rootOf } from '../../../store/roots.ts';
import { upstreamHead } from '../../../store/upstream-heads.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import { refuseChangedAddresses } from '../repo/refuse-changed-addresses.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';

/** What would go out of each repo that the workspace changes, or of those named; those that others need first. */
export async function pushPlan(
  parts: Pick<ServiceParts, 'config' | 'database' | 'layout'>,
  params: ParamsOf<typeof push>,
  { signal }: Call,
): Promise<ReplyOf<typeof push>> {
  const { config, database, layout } = parts;
  const { name: workspace, repos } = workspaceOf(database, params.workspace);
  const changed = chosen(
    workspace,
    repos.filter(({ role }) => role === 'edit').map(({ name }) => name),
    params.repos,
  );
  const order = pushOrder(needsAmong(changed, config.repos()));
  const plans: PushOfRepo[] = [];
  for (const repo of order) {
    const root = rootOf(database, repo);
    refuseChangedAddresses(config, root);
    const { upstream, pushUrl, defaultBranch } = root;
    const rootFolder = layout.root(repo);
    const plan = await planPush({
      rootFolder,
      branch: workspace,
      defaultBranch,
      expected: upstreamHead(database, repo, workspace),
      mergedHeads: mergedHeads(database, workspace, repo),
      signal,
    });
    plans.push({
      ...plan,
      repo: repo as PushOfRepo['repo'],
      rootFolder,
      upstream: withoutSecrets(upstream),
      pushUrl: withoutSecrets(pushUrl),
    });
  }
  return { workspace, branch: workspace, repos: plans };
}

function chosen<Name extends string>(workspace: string, changed: readonly Name[], wanted: readonly Name[]): Name[] {
  const unknown = wanted.find((name) => !changed.includes(name));
  if (unknown === undefined) return changed.filter((name) => wanted.length === 0 || wanted.includes(name));
  throw new Fault(
    'REPO_NOT_FOUND',
    `The workspace ${workspace} changes no repo ${unknown}.${didYouMean(unknown, changed)}`,
    { hint: `It changes ${changed.join(', ')}.` },
  );
}
