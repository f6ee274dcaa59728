import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AttemptRepo } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { excludePatterns } from '../git/exclude.ts';
import { shellWord } from '../git/shell-word.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { runOwnScript } from './own-script.ts';
import { readWorktreeRecord, writeWorktreeRecord } from './worktree-record.ts';

/** Setup that leaves more at the top of its untracked folders than this is not worth following. */
const RESIDUE_LIMIT = 500;

/**
 * What setup made and the repo does not ignore, such as a virtual environment, is no change of a later step: it is
 * excluded in this worktree and kept in mind, so that a restore leaves it alone.
 */
export async function hideResidue(desk: WalledDesk, repo: AttemptRepo): Promise<void> {
  const listed = await gitInside(desk, repo, 'git ls-files --others --exclude-standard --directory -z');
  const residue = listed
    .split('\0')
    .filter((path) => path !== '')
    .slice(0, RESIDUE_LIMIT);
  if (residue.length > 0) {
    const record = await readWorktreeRecord(desk.request);
    await writeWorktreeRecord(desk.request, { ...record, repos: { ...record.repos, [repo.name]: { residue } } });
    await gitInside(desk, repo, `printf '%s' ${shellWord(excludePatterns(residue))} >> .git/info/exclude`);
  }
  const changed = await gitInside(desk, repo, 'git diff --name-only');
  if (changed !== '')
    desk.output.note(
      `${repo.name}: setup changed files that are in git, and the next step would commit them:\n${changed}`,
    );
}

async function gitInside(desk: WalledDesk, repo: AttemptRepo, script: string): Promise<string> {
  const { request } = desk;
  let printed: Promise<string> | undefined;
  const { exitCode, tail } = await runOwnScript(desk, script, {
    cwd: join(request.runFolder, repo.name),
    onStdout: (stream) => {
      printed = text(stream);
      return printed;
    },
  });
  if (exitCode !== 0 && !desk.signal.aborted)
    throw new Fault('GIT_FAILED', `What the setup of ${repo.name} left could not be listed.`, { detail: tail });
  return (await printed) ?? '';
}
