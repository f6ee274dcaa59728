import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO_GUIDANCE_FILE } from '../../agents/guidance.ts';
import type { ServiceParts } from '../parts.ts';
import { contextPackets, packetsFor } from './context-packets.ts';
import { repoGuidanceText } from './repo-guidance.ts';
import { pictureOf, workspaceGuidanceText } from './workspace-guidance.ts';

/**
 * The files that a run's folder gets, by their paths in it: CLAUDE.md on top, what the operator wants known of each
 * repo,
 * and the context packets, since the work sees nothing of the home but that folder.
 */
export function runGuidance(
  parts: Pick<ServiceParts, 'config' | 'database' | 'layout'>,
  workspace: string,
): { path: string; text: string }[] {
  const picture = pictureOf(parts, workspace);
  const pathOf = ({ name }: { name: string }): string => join('.takt', 'context', `${name}.md`);
  const packets = packetsFor(
    contextPackets(parts),
    picture.repos.map(({ name }) => name),
  );
  const ofRepos = picture.repos.flatMap(({ name, role }) => {
    const text = repoGuidanceText(parts, { workspace, repo: name, role });
    return text === undefined ? [] : [{ path: join(name, REPO_GUIDANCE_FILE), text }];
  });
  return [
    { path: 'CLAUDE.md', text: workspaceGuidanceText(parts, picture, pathOf) },
    ...ofRepos,
    ...packets.map((packet) => ({ path: pathOf(packet), text: readFileSync(packet.path, 'utf8') })),
  ];
}
