import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ATTEMPT_PROTOCOL, AttemptOutcome, AttemptRequest, AttemptWorkProcess } from '../../src/contract/attempt.ts';
import type { OutputLine } from '../../src/contract/output.ts';
import { homeLayout, type HomeLayout } from '../../src/platform/home-layout.ts';
import { watchUntil } from '../../src/platform/wait.ts';
import { ownUser, type TestUser } from '../confinement/test-user.ts';

const STEP_HOST = join(import.meta.dirname, '..', '..', 'src', 'bin', 'step-host.ts');
const WAIT_LIMIT_MS = 60_000;

/** A home with root repos and one run, whose attempts the tests ask for as the service does. */
export interface AttemptHome {
  readonly layout: HomeLayout;
  readonly runFolder: string;
  readonly agentFolder: string;
  readonly run: string;
  /** Runs git in a root repo as the home's user and gives its words. */
  git(repo: string, ...args: string[]): string;
  /** The commit that the root repo's `main` has. */
  start(repo: string): string;
  /** Writes a request; `change` is laid over a command step that does nothing. */
  attempt(change?: Partial<AttemptRequest>): AttemptOfTest;
  /** Sets the worktrees up, which has to succeed. */
  setUp(change?: Partial<AttemptRequest>): Promise<AttemptOutcome>;
  /** Runs a command step to its end. */
  command(run: string, change?: Partial<AttemptRequest>): Promise<AttemptOfTest & { readonly outcome: AttemptOutcome }>;
}

/** One attempt: its folder in the spool, and the host that carries it. */
export interface AttemptOfTest {
  readonly id: string;
  readonly folder: string;
  /** Starts the step host; more than one may be started. */
  startHost(environment?: Record<string, string>): ChildProcess;
  untilOutcome(): Promise<AttemptOutcome>;
  untilOutput(pattern: RegExp): Promise<string>;
  untilWork(): Promise<AttemptWorkProcess>;
  /** All text of the log, in order. */
  text(): string;
}

interface Wanted {
  readonly user?: TestUser;
  readonly repos?: readonly string[];
  /** Files of the first commit of each repo. */
  readonly files?: Record<string, string>;
  readonly confinement?: AttemptRequest['confinement'];
  /** Changes to how every request names its repos. */
  readonly repo?: Partial<AttemptRequest['repos'][number]>;
}

export function newAttemptHome(t: { after(work: () => void): void }, wanted: Wanted = {}): AttemptHome {
  const user = wanted.user ?? ownUser();
  const home = mkdtempSync(join(tmpdir(), 'takt-steps-'));
  chmodSync(home, 0o755);
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const layout = homeLayout(home);
  const names = wanted.repos ?? ['app'];
  for (const folder of [layout.roots, layout.runs, layout.agentHomes, layout.attemptsSpool, layout.caches])
    mkdirSync(folder, { recursive: true });
  for (const name of names) makeRoot(layout.root(name), wanted.files ?? { 'README.md': `${name}\n` });
  user.own(home);

  const run = `run_${randomBytes(8).toString('hex')}`;
  const runFolder = layout.runFolder('task', 1);
  const agentFolder = join(layout.agentHomes, run);
  const git = (repo: string, ...args: string[]): string => gitIn(layout.root(repo), args);
  const repos = names.map((name) => ({
    name,
    role: 'edit',
    rootFolder: layout.root(name),
    commit: git(name, 'rev-parse', 'main'),
    base: git(name, 'rev-parse', 'main'),
    defaultBranch: 'main',
    upstream: '/nowhere',
    pushUrl: '/nowhere',
    dependsOn: [],
    setup: null,
    copy: [],
    cache: [],
    cacheFolder: join(layout.caches, 'task', name),
    ...wanted.repo,
  }));
  const base = {
    protocol: ATTEMPT_PROTOCOL,
    number: 1,
    run,
    runNumber: 1,
    workspace: 'task',
    step: 'check',
    work: { kind: 'command', run: 'true', shell: '/bin/sh' },
    repos,
    runFolder,
    agentFolder,
    restore: false,
    needsChange: false,
    confinement: wanted.confinement ?? 'strict',
    toolchains: [],
    guidance: [],
    environment: {},
    author: { name: 'Ada', email: 'ada@example.org' },
    earlier: [],
    timeoutMs: 60_000,
    silenceMs: 60_000,
    outputLimitBytes: 1024 * 1024,
  };
  const attempt = (change: Partial<AttemptRequest> = {}): AttemptOfTest => {
    const id = `att_${randomBytes(8).toString('hex')}`;
    const folder = layout.attemptSpool(id);
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'request.json'),
      JSON.stringify(AttemptRequest.parse({ ...base, attempt: id, ...change })),
    );
    user.own(folder);
    return attemptOf(id, folder, user);
  };
  return {
    layout,
    runFolder,
    agentFolder,
    run,
    git,
    attempt,
    start: (repo) => git(repo, 'rev-parse', 'main'),
    async setUp(change) {
      const setup = attempt({ step: 'setup' as AttemptRequest['step'], work: { kind: 'setup' }, ...change });
      setup.startHost();
      const outcome = await setup.untilOutcome();
      assert.equal(outcome.state, 'passed', setup.text());
      return outcome;
    },
    async command(line, change) {
      const started = attempt({ work: { kind: 'command', run: line, shell: '/bin/sh' }, ...change });
      started.startHost();
      return { ...started, outcome: await started.untilOutcome() };
    },
  };
}

function attemptOf(id: string, folder: string, user: TestUser): AttemptOfTest {
  const file = (name: string): string | undefined =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined;
  const lines = (): OutputLine[] =>
    (file('output.ndjson') ?? '')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as OutputLine);
  const text = (): string => lines().reduce(withLine, '');
  const until = <Value>(look: () => Value | undefined): Promise<Value> =>
    watchUntil(folder, () => Promise.resolve(look()), { signal: AbortSignal.timeout(WAIT_LIMIT_MS), everyMs: 50 });
  return {
    id,
    folder,
    text,
    startHost(environment = {}) {
      const [program, ...args] = user.command([process.execPath, STEP_HOST, folder]);
      return spawn(program!, args, {
        env: { PATH: process.env['PATH'], ...environment },
        stdio: ['ignore', 'inherit', 'inherit'],
        detached: true,
      });
    },
    untilOutcome: () =>
      until(() =>
        file('outcome.json') === undefined ? undefined : AttemptOutcome.parse(JSON.parse(file('outcome.json')!)),
      ),
    untilOutput: (pattern) => until(() => (pattern.test(text()) ? text() : undefined)),
    untilWork: () =>
      until(() =>
        file('work.json') === undefined ? undefined : AttemptWorkProcess.parse(JSON.parse(file('work.json')!)),
      ),
  };
}

function makeRoot(folder: string, files: Record<string, string>): void {
  const work = mkdtempSync(join(tmpdir(), 'takt-first-'));
  gitIn(work, ['init', '--quiet', '--initial-branch=main']);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(work, path, '..'), { recursive: true });
    writeFileSync(join(work, path), text);
  }
  gitIn(work, ['add', '--all']);
  gitIn(work, ['commit', '--quiet', '--message=first', '--allow-empty']);
  gitIn(work, ['clone', '--quiet', '--bare', work, folder]);
  rmSync(work, { recursive: true });
}

function gitIn(folder: string, args: readonly string[]): string {
  const who = {
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.org',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.org',
  };
  const safe = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
  const env = { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1', ...who, ...safe };
  return execFileSync('git', ['-C', folder, ...args], { env, encoding: 'utf8' }).trim();
}

/** What is printed comes in chunks that end anywhere; what takt says is a line of its own. */
function withLine(text: string, line: OutputLine): string {
  if (!('text' in line)) return text;
  if (line.kind === 'stdout' || line.kind === 'stderr') return text + line.text;
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line.text}\n`;
}
