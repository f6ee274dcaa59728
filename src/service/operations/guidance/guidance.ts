import { dirname } from 'node:path';
import { editFile, NO_FILE, readFileText } from '../../../config/edit-file.ts';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { guidanceSet, guidanceShow, TextFile } from '../../../contract/operations/guidance.ts';
import { makeFolder, readUntrustedFile } from '../../../platform/files.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { workspaceOf, workspacesOfRepo } from '../../../store/workspaces.ts';
import { refreshRepoGuidance, repoGuidanceFile } from '../../guidance/repo-guidance.ts';
import { workspaceGuidanceFile } from '../../guidance/workspace-guidance.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { knownRepo } from '../repo/repo-view.ts';
import { newText } from './new-text.ts';

type GuidanceParts = Pick<ServiceParts, 'config' | 'layout' | 'database' | 'bus'>;

interface Place {
  readonly kind: 'workspace' | 'repo';
  readonly of: string;
  readonly name: string;
  readonly path: string;
}

const LIMIT_BYTES = 1024 * 1024;

export async function showGuidance(parts: GuidanceParts, params: ParamsOf<typeof guidanceShow>): Promise<TextFile> {
  const { kind, name, path } = placeOf(parts, params);
  if (kind === 'repo') return { name, path, ...(await readFileText(path)) };
  // An agent may have written there.
  const bytes = await readUntrustedFile(path, LIMIT_BYTES);
  return { name, path, text: bytes?.toString('utf8') ?? '', hash: bytes === undefined ? NO_FILE : sha256(bytes) };
}

/** Replaces the page on top of a workspace, or what every clone of a repo gets: those that there are, at once. */
export async function setGuidance(parts: GuidanceParts, params: ParamsOf<typeof guidanceSet>): Promise<TextFile> {
  const { kind, of, name, path } = placeOf(parts, params);
  const text = newText(params);
  const before = await showGuidance(parts, params);
  if (kind === 'repo') await makeFolder(dirname(path));
  const file = await editFile(path, { name, expectedHash: params.hash, change: () => text });
  if (kind === 'repo') await refreshClones(parts, of, before.text);
  commit(
    parts,
    [{ topic: 'config.update', data: { file: name }, ...(kind === 'workspace' ? { workspace: of } : {}) }],
    () => undefined,
  );
  return { name, path, ...file };
}

function placeOf(
  { config, database, layout }: GuidanceParts,
  { workspace, repo }: { workspace?: string | undefined; repo?: string | undefined },
): Place {
  if ((workspace === undefined) === (repo === undefined)) {
    throw new Fault('INPUT_INVALID', 'Name either a workspace or a repo.', {
      hint: 'Give --workspace NAME or --repo NAME.',
    });
  }
  if (workspace !== undefined) {
    workspaceOf(database, workspace);
    return {
      kind: 'workspace',
      of: workspace,
      name: `workspaces/${workspace}/CLAUDE.md`,
      path: workspaceGuidanceFile(layout, workspace),
    };
  }
  knownRepo({ config, database }, repo!);
  return { kind: 'repo', of: repo!, name: `config/guidance/${repo}.md`, path: repoGuidanceFile(layout, repo!) };
}

async function refreshClones(parts: GuidanceParts, repo: string, before: string): Promise<void> {
  for (const workspace of workspacesOfRepo(parts.database, repo)) {
    const role = workspaceOf(parts.database, workspace).repos.find(({ name }) => name === repo)?.role ?? 'read';
    await refreshRepoGuidance(parts, { workspace, repo, role }, before);
  }
}
