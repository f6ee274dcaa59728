import { join } from 'node:path';
import type { AttemptRequest } from '../contract/attempt.ts';
import type { StageResult } from '../contract/stage-result.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { clearStageResult, readStageResult, stageResultPath } from './run-folder.ts';
import { runInside } from './run-inside.ts';
import { workEnvironment } from './work-environment.ts';
import { endedWork, type WorkResult } from './work-result.ts';

/**
 * Carries out a command step: the user's own shell command, inside the walls.
 *
 * It starts in the run's folder, where the repos lie side by side; if the workspace has exactly one repo, in that
 * repo's folder, so that `npm test` does what it says. Exit code 0 passes, unless the command wrote another verdict to
 * `$TAKT_STAGE_RESULT`; what it wrote there has to fit the schema of a stage result.
 */
export async function runCommandWork(desk: WalledDesk, command: { run: string; shell: string }): Promise<WorkResult> {
  const { request, walls, output, signal } = desk;
  const resultPath = stageResultPath(request.step, request.number);
  clearStageResult(request.runFolder, resultPath, walls.user);
  const cwd = commandFolder(request);
  output.note(`${command.run}  (in ${cwd})`);
  const { exitCode, tail } = await runInside({
    ...desk,
    attempt: request.attempt,
    command: [command.shell, '-c', command.run],
    extra: { env: workEnvironment(request), cwd },
    // Needed next, and loaded in the time of the work.
    onStarted: () => void import('./collect-work.ts'),
  });
  if (signal.aborted) return { ...endedWork, exitCode };
  const written = await writtenResult(readStageResult(request.runFolder, resultPath));
  return { usage: null, exitCode, ...judge({ exitCode, tail, written, run: command.run }) };
}

function commandFolder({ runFolder, repos }: AttemptRequest): string {
  const [only, ...more] = repos;
  return only !== undefined && more.length === 0 ? join(runFolder, only.name) : runFolder;
}

type Written =
  | { readonly kind: 'none' }
  | { readonly kind: 'fits'; readonly result: StageResult }
  | { readonly kind: 'wrong'; readonly sentence: string };

async function writtenResult(text: string | null | undefined): Promise<Written> {
  if (text === undefined) return { kind: 'none' };
  if (text === null)
    return { kind: 'wrong', sentence: 'What lies at $TAKT_STAGE_RESULT is not a regular file of at most 256 KiB.' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: 'wrong', sentence: `The stage result is not JSON: ${error.message}.` };
  }
  const { StageResult: Schema } = await import('../contract/stage-result.ts');
  const parsed = Schema.safeParse(value);
  if (parsed.success) return { kind: 'fits', result: parsed.data };
  const [issue] = parsed.error.issues;
  return {
    kind: 'wrong',
    sentence: `The stage result does not fit the schema: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}.`,
  };
}

function judge(p: {
  exitCode: number;
  tail: string;
  written: Written;
  run: string;
}): Pick<WorkResult, 'state' | 'reason' | 'result'> {
  const { exitCode, written } = p;
  if (exitCode !== 0) {
    const sentence = `The command ended with exit code ${exitCode}.`;
    const own: StageResult = {
      verdict: 'failed',
      summary: p.tail.trim() === '' ? sentence : `${sentence} Its last words:\n${p.tail.trim()}`,
      findings: [],
    };
    const result = written.kind === 'fits' ? { ...written.result, verdict: 'failed' as const } : own;
    return { state: 'failed', reason: { class: 'exit_code', sentence }, result };
  }
  switch (written.kind) {
    case 'none':
      return {
        state: 'passed',
        reason: null,
        result: { verdict: 'passed', summary: `The command ended with exit code 0: ${firstLine(p.run)}`, findings: [] },
      };
    case 'wrong':
      return { state: 'unverified', reason: { class: 'no_result', sentence: written.sentence }, result: null };
    case 'fits':
      if (written.result.verdict === 'passed') return { state: 'passed', reason: null, result: written.result };
      return {
        state: 'failed',
        reason: { class: 'verdict', sentence: firstLine(written.result.summary) },
        result: written.result,
      };
  }
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0]!.slice(0, 500);
