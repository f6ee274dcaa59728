import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { prRecord } from '../../../contract/operations/pr.ts';
import { recordOpenedPull } from '../../../store/pull-requests.ts';
import { roleIn, workspaceOf } from '../../../store/workspaces.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { listPulls } from './pull-view.ts';

/** Notes pull requests that `takt pr create` opened or brought up to date. */
export function recordPulls(
  parts: Pick<ServiceParts, 'bus' | 'config' | 'database'>,
  { workspace, pulls }: ParamsOf<typeof prRecord>,
): ReplyOf<typeof prRecord> {
  const { database } = parts;
  const { name } = workspaceOf(database, workspace);
  const foreign = pulls.find(({ repo }) => roleIn(database, name, repo) !== 'edit');
  if (foreign !== undefined)
    throw new Fault('REPO_NOT_FOUND', `The workspace ${name} does not change a repo ${foreign.repo}.`);
  const events = pulls.map(({ repo, number, url }) => ({
    topic: 'pr.update' as const,
    workspace: name,
    data: { repo, number, url, state: 'open' },
  }));
  commit(parts, events, () => {
    for (const pull of pulls) recordOpenedPull(database, name, pull, Date.now());
  });
  return { workspace: name, ...listPulls(parts, { workspace: name }) };
}
