import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPO_GUIDANCE_FILE, repoGuidance } from '../../agents/guidance.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { readUntrustedFile, writeFileDurably } from '../../platform/files.ts';
import type { ServiceParts } from '../parts.ts';
import { textIfThere } from './text-if-there.ts';

type GuidanceParts = Pick<ServiceParts, 'config' | 'layout'>;

const LIMIT_BYTES = 1024 * 1024;

/** `config/guidance/<repo>.md`: what the operator wants every clone and worktree of a repo to know. */
export const repoGuidanceFile = (layout: HomeLayout, repo: string): string =>
  join(layout.home, 'config', 'guidance', `${repo}.md`);

/** The text of `CLAUDE.local.md` in a clone or worktree; undefined if there is nothing to say about the repo. */
export function repoGuidanceText(
  parts: GuidanceParts,
  of: { workspace: string; repo: string; role: 'edit' | 'read' },
  written?: string,
): string | undefined {
  const guidance = written ?? textIfThere(repoGuidanceFile(parts.layout, of.repo)) ?? '';
  if (guidance.trim() === '') return undefined;
  return repoGuidance(textIfThere(join(parts.layout.templates, 'repo.md')) ?? '{{guidance}}', { ...of, guidance });
}

/**
 * Brings a repo's guidance up to date in a clone. A file that is not the one that takt wrote is left alone: the repo
 * may
 * track one of that name, or somebody changed it.
 */
export async function refreshRepoGuidance(
  parts: GuidanceParts,
  of: { workspace: string; repo: string; role: 'edit' | 'read' },
  before: string,
): Promise<void> {
  const path = join(parts.layout.clone(of.workspace, of.repo), REPO_GUIDANCE_FILE);
  const current = (await readUntrustedFile(path, LIMIT_BYTES))?.toString('utf8');
  const old = repoGuidanceText(parts, of, before);
  const now = repoGuidanceText(parts, of);
  if (current === old && now !== undefined && now !== current) await writeFileDurably(path, now);
}

/** The files that `copy` names for a repo, from `config/files/<repo>/`; folders with all that is in them. */
export async function copiedFiles(
  { config, layout }: GuidanceParts,
  repo: string,
): Promise<{ path: string; bytes: Buffer }[]> {
  const wanted = config.repos().find(({ name }) => name === repo)?.copy ?? [];
  const source = join(layout.copiedFiles, repo);
  const found = await Promise.all(wanted.map((path) => filesAt(source, path)));
  return found.flat();
}

async function filesAt(source: string, path: string): Promise<{ path: string; bytes: Buffer }[]> {
  const place = join(source, path);
  try {
    const facts = await lstat(place);
    if (facts.isDirectory())
      return (await Promise.all((await readdir(place)).map((name) => filesAt(source, join(path, name))))).flat();
    return [{ path, bytes: await readFile(place) }];
  } catch (error) {
    // A file that the operator has not put there yet is nothing to copy.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
