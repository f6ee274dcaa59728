import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { pushRecord } from '../../../contract/operations/push.ts';
import { isAncestor } from '../../../git/history.ts';
import { refCommit } from '../../../git/refs.ts';
import { recordUpstreamHead } from '../../../store/upstream-heads.ts';
import { roleIn, workspaceOf } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';

/** Notes what a push has put upstream; it has to be a commit of the workspace's branch. */
export async function recordPush(
  parts: Pick<ServiceParts, 'bus' | 'database' | 'layout'>,
  params: ParamsOf<typeof pushRecord>,
  { signal }: Call,
): Promise<ReplyOf<typeof pushRecord>> {
  const { workspace, repo, commit: pushed } = params;
  workspaceOf(parts.database, workspace);
  if (roleIn(parts.database, workspace, repo) !== 'edit')
    throw new Fault('REPO_NOT_FOUND', `The workspace ${workspace} does not change a repo ${repo}.`);
  const folder = parts.layout.root(repo);
  const head = await refCommit(folder, `refs/heads/${workspace}`, { signal });
  const isOurs =
    head !== null &&
    (await refCommit(folder, pushed, { signal })) !== null &&
    (await isAncestor(folder, pushed, head, { signal }));
  if (!isOurs)
    throw new Fault('COMMITS_CHANGED', `${pushed.slice(0, 10)} is no commit of the branch ${workspace} in ${repo}.`);
  commit(parts, [{ topic: 'push.update', workspace, data: { repo, commit: pushed } }], () =>
    recordUpstreamHead(parts.database, { repo, branch: workspace, commit: pushed, atMs: Date.now() }),
  );
  return { repo, commit: pushed };
}
