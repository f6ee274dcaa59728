import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { worktreeScript } from '../git/run-worktree.ts';
import { shellWord } from '../git/shell-word.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { makeWorkFolder } from './run-folder.ts';
import { readPlainFile } from './read-plain-file.ts';
import { runOwnScript } from './own-script.ts';
import { readWorktreeRecord, writeWorktreeRecord } from './worktree-record.ts';

const COPY_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Makes the worktrees that the run's folder lacks, and writes guidance and copied files into it. Everything below the run's folder is written inside the
 * walls: a repo may hold links that lead anywhere.
 */
export async function makeWorktrees(desk: WalledDesk): Promise<void> {
  const { request, walls, output, signal } = desk;
  makeWorkFolder(request.runFolder, walls.user);
  const record = await readWorktreeRecord(request);
  const missing = request.repos.filter(({ name }) => record.repos[name] === undefined);
  const staging = join(desk.folder, 'files');
  const files = filesToBring(
    desk,
    missing.map(({ name }) => name),
  );
  const aside = missing.map(
    ({ name }) =>
      `if [ -e ${name} ] || [ -L ${name} ]; then mkdir -p .takt && mv ${name} .takt/half-made-${name}-${request.attempt}; fi`,
  );
  const script = [
    'set -e',
    ...aside,
    missing.length > 0 ? worktreeScript(missing, { guidance: request.guidance.map(({ path }) => path) }) : '',
    ...files.map((file) => bringScript(staging, file)),
  ].join('\n');
  output.note(
    missing.length > 0
      ? `Worktrees: ${missing.map(({ name, commit }) => `${name} at ${commit.slice(0, 12)}`).join(', ')}`
      : 'The worktrees are there.',
  );
  stage(staging, files, walls.user);
  try {
    const { exitCode, tail } = await runOwnScript(desk, script, { readable: [staging] });
    if (signal.aborted) return;
    if (exitCode !== 0) throw new Fault('GIT_FAILED', 'The worktrees could not be made.', { detail: tail });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const made = Object.fromEntries(missing.map(({ name }) => [name, { residue: [] }]));
  await writeWorktreeRecord(request, { ...record, repos: { ...record.repos, ...made } });
}

interface FileToBring {
  /** Its name in the staging folder. */
  readonly staged: string;
  /** Where it goes, within the run's folder. */
  readonly path: string;
  readonly content: Uint8Array | string;
  readonly mode: number;
}

/** Guidance is written each time, copied files into new worktrees only: a step may have changed them since. */
function filesToBring({ request, output }: WalledDesk, newRepos: readonly string[]): FileToBring[] {
  const copied = request.repos
    .filter(({ name }) => newRepos.includes(name))
    .flatMap(({ name, copy }) => copy.map(({ from, to }) => ({ from, path: `${name}/${to}` })))
    .flatMap(({ from, path }) => {
      const found = readPlainFile(from, COPY_LIMIT_BYTES);
      if (found === undefined) output.note(`Not copied: ${from} is no regular file of at most 16 MiB.`);
      return found === undefined ? [] : [{ path, ...found }];
    });
  const guidance = request.guidance.map(({ path, text }) => ({ path, content: text, mode: 0o644 }));
  return [...copied, ...guidance].map((file, index) => ({ ...file, staged: String(index) }));
}

function stage(folder: string, files: readonly FileToBring[], owner: { uid: number; gid: number }): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chownSync(folder, owner.uid, owner.gid);
  for (const { staged, content, mode } of files) {
    const path = join(folder, staged);
    writeFileSync(path, content);
    chmodSync(path, mode | 0o400);
    chownSync(path, owner.uid, owner.gid);
  }
}

function bringScript(staging: string, { staged, path }: FileToBring): string {
  const target = shellWord(`./${path}`);
  return `mkdir -p "$(dirname ${target})" && cp --remove-destination --preserve=mode ${shellWord(join(staging, staged))} ${target}`;
}
