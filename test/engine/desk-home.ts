import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunId } from '../../src/contract/ids.ts';
import { Pipeline } from '../../src/contract/pipeline.ts';
import { RepoConfig } from '../../src/contract/repo.ts';
import type { Run } from '../../src/contract/run.ts';
import { Settings } from '../../src/contract/settings.ts';
import { openSpoolEngine } from '../../src/engine/spool-engine.ts';
import { readHeads } from '../../src/git/refs.ts';
import { homeLayout, type HomeLayout } from '../../src/platform/home-layout.ts';
import { pause } from '../../src/platform/wait.ts';
import { type RunDesk, startRunDesk } from '../../src/service/runs/run-desk.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { findRoot, insertRoot } from '../../src/store/roots.ts';
import { listRuns, runView } from '../../src/store/run-views.ts';
import { seenRefs, setSeenRef } from '../../src/store/seen-refs.ts';
import { insertWorkspace, setPipeline } from '../../src/store/workspaces.ts';
import type { Play } from './fake-host.ts';
import { FAKE_HOST } from './engine-home.ts';

const PERSON = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];

/** A home with root repos and a workspace `work`, without a service: its desk runs in the test's own process. */
export interface DeskHome {
  readonly layout: HomeLayout;
  readonly database: Database;
  /** May be changed at any time, as the file may. */
  settings: Record<string, unknown>;
  environment: NodeJS.ProcessEnv;
  readonly said: string[];
  openDesk(options?: DeskOptions): Promise<TestDesk>;
  setSteps(...steps: (Play | Record<string, unknown>)[]): void;
  /** A commit on a branch of a root repo, as a push makes it; nobody is told. */
  push(repo: string, text: string, options?: { force?: boolean }): string;
  git(repo: string, ...args: string[]): string;
  tip(repo: string, ref?: string): string;
  runs(): Run[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DeskOptions {
  readonly debugPoint?: (name: string) => void;
  /** The fake one by default. */
  readonly hostCommand?: readonly string[];
}

export interface TestDesk extends RunDesk, AsyncDisposable {
  /** Compares the refs with what was seen, as the watcher does. */
  look(): Promise<void>;
  /** Waits until a run has one of these states. */
  until(run: RunId | string, ...states: Run['state'][]): Promise<Run>;
}

export async function openDeskHome(at?: string): Promise<DeskHome> {
  const layout = homeLayout(at ?? (await mkdtemp(join(tmpdir(), 'takt-desk-'))));
  await mkdir(layout.attemptsSpool, { recursive: true });
  const database = openDatabase(layout.database);
  if (findRoot(database, 'app') === undefined) makeWorkspace(layout, database);
  const home: DeskHome = {
    layout,
    database,
    settings: { steps_at_once: 4 },
    environment: {},
    said: [],
    openDesk: (options = {}) => openDesk(home, options),
    setSteps: (...steps) => setPipeline(database, 'work', pipelineOf(steps)),
    push: (repo, text, { force = false } = {}) => push(layout.root(repo), text, force),
    git: (repo, ...args) => git(layout.root(repo), ...args),
    tip: (repo, ref = 'refs/heads/work') => git(layout.root(repo), 'rev-parse', ref),
    runs: () =>
      listRuns(database, { limit: 100 })
        .map((run) => runView(database, run.id))
        .toReversed(),
    async [Symbol.asyncDispose]() {
      database.close();
      if (at === undefined) await rm(layout.home, { recursive: true, force: true });
    },
  };
  return home;
}

function makeWorkspace(layout: HomeLayout, database: Database): void {
  insertWorkspace(database, {
    name: 'work',
    base: 'main',
    createdAtMs: Date.now(),
    repos: [
      {
        repo: 'app',
        role: 'edit',
      },
      {
        repo: 'lib',
        role: 'edit',
      },
      {
        repo: 'docs',
        role: 'read',
      },
    ],
  });
  for (const repo of ['app', 'lib', 'docs']) {
    const folder = layout.root(repo);
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', folder]);
    push(folder, 'first', false, 'main');
    insertRoot(database, { repo, upstream: '/nowhere', defaultBranch: 'main' });
    if (repo === 'docs') continue;
    git(folder, 'update-ref', 'refs/heads/work', 'refs/heads/main');
    setSeenRef(database, repo, 'work', git(folder, 'rev-parse', 'refs/heads/work'));
  }
}

async function openDesk(home: DeskHome, { debugPoint, hostCommand = FAKE_HOST }: DeskOptions): Promise<TestDesk> {
  const { layout, database } = home;
  const say = (_facts: object, sentence: string): void => void home.said.push(sentence);
  const engine = openSpoolEngine({
    database,
    spool: layout.attemptsSpool,
    hostCommand,
    debugPoint,
    wake: () => undefined,
    outputGrew: () => undefined,
    log: (sentence) => home.said.push(sentence),
  });
  const repos = ['app', 'lib', 'docs'].map((name) => RepoConfig.parse({ name, upstream: '/nowhere' }));
  const desk = startRunDesk({
    layout,
    database,
    engine,
    debugPoint,
    environment: home.environment,
    userHome: layout.home,
    config: {
      repos: () => repos,
      repo: (name) => repos.find((repo) => repo.name === name)!,
      settings: () => Settings.parse(home.settings),
      rolesText: () => '## review\n\nLooks at it.\n\nReview it.\n',
    },
    bus: { wake: () => undefined },
    log: {
      info: say,
      warn: say,
      error: (facts, sentence) => say(facts, `${sentence} ${JSON.stringify(facts, errorText)}`),
    },
    checkRefs: () => look(),
    upstreamFetched: () => undefined,
    guidanceFor: () => [
      {
        path: 'CLAUDE.md',
        text: 'hello',
      },
    ],
    confinement: () =>
      Promise.resolve({
        works: false,
        why: 'There is none here.',
      }),
  });
  const look = async (): Promise<void> => {
    for (const repo of ['app', 'lib']) {
      const heads = await readHeads(layout.root(repo), { signal: AbortSignal.timeout(10_000) });
      const seen = seenRefs(database, repo);
      const branches = new Set([...heads.keys(), ...seen.keys()]);
      desk.onMoves([...branches].map((branch) => ({ repo, branch, to: heads.get(branch) ?? null })));
    }
  };
  await desk.recover();
  return {
    ...desk,
    look,
    until: (run, ...states) => until(home, run, states),
    async [Symbol.asyncDispose]() {
      await desk.stop();
      await engine[Symbol.asyncDispose]();
    },
  };
}

const errorText = (_key: string, value: unknown): unknown => (value instanceof Error ? value.stack : value);

async function until(home: DeskHome, run: string, states: readonly string[]): Promise<Run> {
  const signal = AbortSignal.timeout(30_000);
  for (;;) {
    const now = runView(home.database, run);
    if (states.includes(now.state)) return now;
    if (signal.aborted)
      throw new Error(`waited for ${states.join()}: ${JSON.stringify(now, null, 1)} ${home.said.join('\n')}`);
    await pause(10, signal);
  }
}

function pipelineOf(steps: readonly (Play | Record<string, unknown>)[]): Pipeline {
  return Pipeline.parse({
    steps: steps.map((step, index) => {
      if ('kind' in step) return { name: `step-${index + 1}`, ...step };
      const { retries, changes, ...play } = step as Record<string, unknown>;
      const given = { ...(retries === undefined ? {} : { retries }), ...(changes === undefined ? {} : { changes }) };
      return { kind: 'command', name: `step-${index + 1}`, run: JSON.stringify(play), ...given };
    }),
  });
}

function git(folder: string, ...args: string[]): string {
  return execFileSync('git', [...PERSON, ...args], { cwd: folder, encoding: 'utf8' }).trim();
}

function push(folder: string, text: string, force: boolean, branch = 'work'): string {
  const parent = existsSync(join(folder, 'refs', 'heads', branch)) && !force ? ['-p', `refs/heads/${branch}`] : [];
  const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
    cwd: folder,
    input: text,
    encoding: 'utf8',
  }).trim();
  const tree = execFileSync('git', ['mktree'], {
    cwd: folder,
    input: `100644 blob ${blob}\tfile.txt\n`,
    encoding: 'utf8',
  }).trim();
  const commit = git(folder, 'commit-tree', tree, ...parent, '-m', text);
  git(folder, 'update-ref', `refs/heads/${branch}`, commit);
  return commit;
}
