/**
 * A step host for tests: it speaks the spool's protocol truly, and does what the command of its request says as JSON
 * instead of working. `node fake-host.ts SPOOL_FOLDER`.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttemptCancel, type AttemptOutcome, AttemptRequest } from '../../src/contract/attempt.ts';
import { startTicksOf } from '../../src/platform/process-identity.ts';
import { takeAttempt } from '../../src/steps/take-attempt.ts';

export interface Play {
  /** Lines to print before anything else. */
  readonly lines?: number;
  /** Ends itself without an outcome, before or after it has taken the attempt and printed. */
  readonly dies?: 'before' | 'after';
  /** Leaves a process of the work behind, as a killed host does. */
  readonly leaves?: boolean;
  /** Works until somebody creates this file, or until it is cancelled. */
  readonly until?: string;
  readonly ignoresCancel?: boolean;
  readonly outcome?: Partial<AttemptOutcome>;
  /** Writes an outcome that is no JSON, or names more output than there is. */
  readonly damage?: 'outcome' | 'length';
}

const folder = process.argv[2]!;
const request = AttemptRequest.parse(JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8')));
const play = JSON.parse(request.work.kind === 'command' ? request.work.run : '{}') as Play;
const output = join(folder, 'output.ndjson');
let bytes = 0;

if (play.dies === 'before' || !takeAttempt(folder)) process.exit(0);
process.on('SIGTERM', () => undefined);
for (let number = 0; number < (play.lines ?? 0); number += 100) print(number, Math.min(100, (play.lines ?? 0) - number));
if (play.leaves === true) leaveProcess();
if (play.dies === 'after') process.kill(process.pid, 'SIGKILL');
const cancelled = play.until === undefined ? undefined : await ended(play.until);
writeOutcome(cancelled);

function print(first: number, count: number): void {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ kind: 'stdout', atMs: Date.now(), text: `line ${first + index}\n` }),
  );
  const text = `${lines.join('\n')}\n`;
  appendFileSync(output, text);
  bytes += Buffer.byteLength(text);
}

function leaveProcess(): void {
  const work = spawn('sleep', ['600'], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', TAKT_ATTEMPT: request.attempt },
  });
  writeFileSync(join(folder, 'work.json'), JSON.stringify({ pid: work.pid, startTicks: startTicksOf(work.pid!) }));
  work.unref();
}

/** Resolves with the reason of a cancellation, or with undefined when the file is there. */
function ended(file: string): Promise<AttemptCancel['reason'] | undefined> {
  return new Promise((resolve) => {
    const look = (): void => {
      const cancel = join(folder, 'cancel.json');
      if (existsSync(file)) resolve(undefined);
      else if (play.ignoresCancel !== true && existsSync(cancel)) {
        resolve(AttemptCancel.parse(JSON.parse(readFileSync(cancel, 'utf8'))).reason);
      }
    };
    watch(folder, look);
    setInterval(look, 50);
    look();
  });
}

function writeOutcome(reason: AttemptCancel['reason'] | undefined): void {
  const outcome: AttemptOutcome = {
    protocol: 1,
    state: reason ?? 'passed',
    reason: reason === undefined ? null : { class: reason, sentence: `It was ${reason}.` },
    exitCode: reason === undefined ? 0 : null,
    result: null,
    usage: null,
    confinement: null,
    repos: request.repos
      .filter((repo) => repo.role === 'edit')
      .map((repo) => ({ repo: repo.name, start: repo.commit, head: null, leftover: null })),
    pushed: [],
    outputBytes: bytes + (play.damage === 'length' ? 10 : 0),
    endedAtMs: Date.now(),
    ...(reason === undefined ? play.outcome : {}),
  };
  writeFileSync(join(folder, 'outcome.tmp'), play.damage === 'outcome' ? '{"state":' : JSON.stringify(outcome));
  renameSync(join(folder, 'outcome.tmp'), join(folder, 'outcome.json'));
  process.exit(0);
}
