/**
 * A step host for tests: it speaks the spool's protocol truly, and does what the command of its request says as JSON
 * instead of working. `node fake-host.ts SPOOL_FOLDER`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttemptCancel, type AttemptOutcome, AttemptRequest, attemptRefs } from '../../src/contract/attempt.ts';
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
  /** Makes a commit in each of these repos, with a file of this text, and reports it as its head. */
  readonly commits?: Readonly<Record<string, string>>;
  /** Fails until its attempt has this number. */
  readonly passesAt?: number;
  /** Vanishes until its attempt has this number. */
  readonly staysAt?: number;
  /** Writes an outcome that is no JSON, or names more output than there is. */
  readonly damage?: 'outcome' | 'length';
}

const folder = process.argv[2]!;
const request = AttemptRequest.parse(JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8')));
const play = playOf(request);
const output = join(folder, 'output.ndjson');
let bytes = 0;

if (play.dies === 'before' || !takeAttempt(folder)) process.exit(0);
process.on('SIGTERM', () => undefined);
for (let number = 0; number < (play.lines ?? 0); number += 100)
  print(number, Math.min(100, (play.lines ?? 0) - number));
if (request.work.kind === 'setup') mkdirSync(request.runFolder, { recursive: true });
const heads = new Map(Object.entries(play.commits ?? {}).map(([repo, text]) => [repo, commit(repo, text)]));
if (play.leaves === true) leaveProcess();
if (play.dies === 'after' || request.number < (play.staysAt ?? 0)) process.kill(process.pid, 'SIGKILL');
const cancelled = play.until === undefined ? undefined : await ended(play.until);
writeOutcome(cancelled);

/** A salvage runs the command `true`; pushes and setups have nothing to play. */
function playOf({ work }: AttemptRequest): Play {
  return work.kind === 'command' && work.run.startsWith('{') ? (JSON.parse(work.run) as Play) : {};
}

function commit(repo: string, text: string): string {
  const place = request.repos.find(({ name }) => name === repo)!;
  const author = { GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org' };
  const env = {
    ...author,
    GIT_COMMITTER_NAME: 'takt',
    GIT_COMMITTER_EMAIL: 'takt@localhost',
    PATH: process.env['PATH'] ?? '',
  };
  const git = (args: string[], input: string): string =>
    execFileSync('git', args, { cwd: place.rootFolder, input, encoding: 'utf8', env }).trim();
  const blob = git(['hash-object', '-w', '--stdin'], text);
  const others = git(['ls-tree', place.commit], '')
    .split('\n')
    .filter((line) => !line.endsWith(`\t${request.step}.txt`));
  const tree = git(['mktree'], [...others, `100644 blob ${blob}\t${request.step}.txt`, ''].join('\n'));
  const made = git(['commit-tree', tree, '-p', place.commit, '-m', `${request.step} ${request.number}`], '');
  git(['update-ref', `${attemptRefs(request.run, request.attempt)}/head`, made], '');
  return made;
}

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
  const isFailing = request.number < (play.passesAt ?? 0);
  const failure = { class: 'exit_code' as const, sentence: 'It ended with exit code 1.' };
  const outcome: AttemptOutcome = {
    protocol: 1,
    state: reason ?? (isFailing ? 'failed' : 'passed'),
    reason: reason !== undefined ? { class: reason, sentence: `It was ${reason}.` } : isFailing ? failure : null,
    exitCode: reason === undefined ? 0 : null,
    result: null,
    usage: null,
    confinement: null,
    repos: request.repos
      .filter((repo) => repo.role === 'edit')
      .map((repo) => ({
        repo: repo.name,
        start: repo.commit,
        head: (heads.get(repo.name) ?? null) as never,
        leftover: null,
      })),
    pulls: [],
    pushed: request.work.kind === 'script' ? request.work.pushes : [],
    outputBytes: bytes + (play.damage === 'length' ? 10 : 0),
    endedAtMs: Date.now(),
    ...(reason === undefined ? play.outcome : {}),
  };
  writeFileSync(join(folder, 'outcome.tmp'), play.damage === 'outcome' ? '{"state":' : JSON.stringify(outcome));
  renameSync(join(folder, 'outcome.tmp'), join(folder, 'outcome.json'));
  process.exit(0);
}
