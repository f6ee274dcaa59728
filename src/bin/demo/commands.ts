import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectFolder } from '../../cli/project-folder.ts';
import { Fault } from '../../contract/faults.ts';

export interface Commands {
  /** Shows a command line and runs it in `folder`; what it says goes to this terminal. A failure is a fault. */
  show(folder: string, shown: string, command: string, args: readonly string[]): Promise<void>;
  takt(folder: string, ...words: string[]): Promise<void>;
  git(folder: string, ...words: string[]): Promise<void>;
  /** Runs a command without showing it and gives its exit code and standard output. */
  quiet(folder: string, command: string, args: readonly string[]): Promise<{ code: number; stdout: string }>;
  quietTakt(folder: string, ...words: string[]): Promise<{ code: number; stdout: string }>;
}

/** Runs commands as a user would, with the environment of the demo's home. */
export function commandsWith(
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
  entry = join(projectFolder(), 'dist', 'takt.js'),
): Commands {
  const run = (
    folder: string,
    command: string,
    args: readonly string[],
    output: 'inherit' | 'pipe',
  ): Promise<{ code: number; stdout: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        cwd: folder,
        env: environment,
        stdio: ['ignore', output, output === 'inherit' ? 'inherit' : 'ignore'],
        signal,
      });
      const chunks: string[] = [];
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? 1, stdout: chunks.join('') }));
    });
  const show: Commands['show'] = async (folder, shown, command, args) => {
    process.stdout.write(`\n$ ${shown}\n`);
    const { code } = await run(folder, command, args, 'inherit');
    if (code !== 0) throw new Fault('INTERNAL', `The demo stopped: \`${shown}\` ended with exit code ${code}.`);
  };
  return {
    show,
    takt: (folder, ...words) =>
      show(folder, ['takt', ...words].map(quoted).join(' '), process.execPath, [entry, ...words]),
    git: (folder, ...words) => show(folder, ['git', ...words].map(quoted).join(' '), 'git', words),
    quiet: (folder, command, args) => run(folder, command, args, 'pipe'),
    quietTakt: (folder, ...words) => run(folder, process.execPath, [entry, ...words], 'pipe'),
  };
}

/** A word as a shell would need it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
