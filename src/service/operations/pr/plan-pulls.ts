import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { prCreate } from '../../../contract/operations/pr.ts';
import { withoutSecrets } from '../../../contract/secrets.ts';
import { needsAmong, pushOrder } from '../../../git/push-order.ts';
import { refCommit } from '../../../git/refs.ts';
import { rootOf } from '../../../store/roots.ts';
import { listRuns } from '../../../store/run-views.ts';
import { runOf } from '../../../store/runs.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';
import { pullsFor, resultsOf } from '../../runs/plan-pulls.ts';

type PlanParts = Pick<ServiceParts, 'config' | 'database' | 'layout'>;

/** The pull requests that the workspace's branches stand for now, in the order of merging, with their texts. */
export async function planWorkspacePulls(
  parts: PlanParts,
  { workspace, draft }: ParamsOf<typeof prCreate>,
  { signal }: Call,
): Promise<ReplyOf<typeof prCreate>> {
  const { config, database, layout } = parts;
  const { name, repos } = workspaceOf(database, workspace);
  const edited = repos.filter(({ role }) => role === 'edit').map((repo) => repo.name);
  const needs = needsAmong(edited, config.repos());
  const commits = await Promise.all(
    pushOrder(needs).map(async (repo) => {
      const commit = await refCommit(layout.root(repo), `refs/heads/${name}`, { signal });
      if (commit === null) throw new Fault('BRANCH_MISSING', `The root repo of ${repo} has no branch ${name}.`);
      return { repo, commit };
    }),
  );
  const pulls = await pullsFor(
    { database, layout, signal },
    {
      workspace: name,
      repos: commits,
      results: latestResults(parts, name),
      isDraft: draft ?? config.settings().pull_requests.draft,
    },
  );
  return {
    workspace: name,
    pulls: pulls.map((pull) => {
      const { upstream, pushUrl, defaultBranch } = rootOf(database, pull.repo);
      return {
        ...pull,
        upstream: withoutSecrets(upstream),
        pushUrl: withoutSecrets(pushUrl),
        rootFolder: layout.root(pull.repo),
        defaultBranch,
        dependsOn: needs.find((repo) => repo.name === pull.repo)?.dependsOn ?? [],
      };
    }),
  };
}

/** Of the newest run that has ended or waits for a person. */
function latestResults({ database }: Pick<PlanParts, 'database'>, workspace: string): ReturnType<typeof resultsOf> {
  const [latest] = listRuns(database, { workspace, limit: 1 });
  return latest === undefined ? [] : resultsOf(database, runOf(database, latest.id));
}
