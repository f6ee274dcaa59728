import { join } from 'node:path';
import { workspaceGuidance } from '../../agents/guidance.ts';
import { Fault } from '../../contract/faults.ts';
import type { Pipeline } from '../../contract/pipeline.ts';
import type { RepoRole } from '../../contract/workspace.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { readUntrustedFile, writeFileDurably } from '../../platform/files.ts';
import { sha256 } from '../../platform/sha256.ts';
import { guidanceDigest, setGuidanceDigest, workspaceOf } from '../../store/workspaces.ts';
import type { ServiceParts } from '../parts.ts';
import { contextPackets, packetsFor } from './context-packets.ts';
import { textIfThere } from './text-if-there.ts';

type GuidanceParts = Pick<ServiceParts, 'config' | 'layout'>;

/** What the page on top of a workspace tells of. */
export interface WorkspacePicture {
  readonly workspace: string;
  readonly task: string | null;
  readonly repos: readonly { readonly name: string; readonly role: RepoRole }[];
  readonly pipeline: Pipeline | null;
}

const LIMIT_BYTES = 1024 * 1024;

export const workspaceGuidanceFile = (layout: HomeLayout, workspace: string): string =>
  join(layout.workspace(workspace), 'CLAUDE.md');

/**
 * The text of CLAUDE.md on top of a workspace, from `templates/workspace.md`; `pathOf` says where a context packet
 * lies.
 */
export function workspaceGuidanceText(
  parts: GuidanceParts,
  { workspace, task, repos, pipeline }: WorkspacePicture,
  pathOf = (packet: { path: string; name: string }): string => packet.path,
): string {
  const template = textIfThere(join(parts.layout.templates, 'workspace.md'));
  if (template === undefined)
    throw new Fault('TEMPLATE_NOT_FOUND', 'The home has no templates/workspace.md.', {
      hint: '`takt init` puts back the templates that are missing.',
    });
  const configured = parts.config.repos();
  const packets = packetsFor(
    contextPackets(parts),
    repos.map(({ name }) => name),
  );
  return workspaceGuidance(template, {
    workspace,
    task,
    repos: repos.map(({ name, role }) => ({
      name,
      role,
      dependsOn: configured.find((repo) => repo.name === name)?.depends_on ?? [],
    })),
    context: packets.map((packet) => ({ path: pathOf(packet), purpose: packet.purpose })),
    pipeline,
  });
}

export function pictureOf({ database }: Pick<ServiceParts, 'database'>, name: string): WorkspacePicture {
  const { task, repos, pipeline } = workspaceOf(database, name);
  return { workspace: name, task, repos, pipeline };
}

/**
 * Brings CLAUDE.md on top of a workspace up to date after its repos or pipeline changed; `before` is the picture that
 * it was written from. A page that was edited since is left as it is.
 */
export async function refreshWorkspaceGuidance(
  parts: GuidanceParts & Pick<ServiceParts, 'database'>,
  before: WorkspacePicture,
): Promise<void> {
  const path = workspaceGuidanceFile(parts.layout, before.workspace);
  const current = (await readUntrustedFile(path, LIMIT_BYTES))?.toString('utf8');
  if (current !== undefined && !isAsWritten(parts, before, current)) return;
  const now = workspaceGuidanceText(parts, pictureOf(parts, before.workspace));
  if (now !== current) await writeFileDurably(path, now);
  setGuidanceDigest(parts.database, before.workspace, sha256(now));
}

/** True if nobody edited the page on top of a workspace since takt wrote it, from that picture. */
export function isAsWritten(
  parts: GuidanceParts & Pick<ServiceParts, 'database'>,
  picture: WorkspacePicture,
  page: string,
): boolean {
  // What it is made of may have changed since; one that was written before digests were kept has only that.
  const digest = guidanceDigest(parts.database, picture.workspace);
  return digest === null ? page === workspaceGuidanceText(parts, picture) : sha256(page) === digest;
}
