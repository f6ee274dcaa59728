import type { AttemptOutcome, AttemptWork } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { gitEnvironment } from '../git/git.ts';
import { pushCommit, unnotedWords } from '../git/push.ts';
import { pushOrder } from '../git/push-order.ts';
import type { AttemptDesk } from './attempt-desk.ts';
import { linesWithoutProgress } from './whole-lines.ts';
import { endedWork, failedWork, passedWork, type WorkResult } from './work-result.ts';

type ScriptWork = Extract<AttemptWork, { kind: 'script' }>;

/** What went out, and what stopped it, if anything did. `ended`: by the signal. */
export interface Pushed {
  readonly pushed: AttemptOutcome['pushed'];
  readonly stopped: { readonly repo: string; readonly fault: Fault } | 'ended' | null;
}

/** The step push_to_github. */
export async function runPushWork(desk: AttemptDesk, work: ScriptWork): Promise<WorkResult> {
  const { pushed, stopped } = await pushCommits(desk, work.pushes);
  if (stopped === 'ended') return { ...endedWork, pushed };
  if (stopped !== null) return { ...pushFailed(desk, stopped), pushed };
  const sent = pushed.map(({ repo }) => repo).join(', ');
  return { ...passedWork(sent === '' ? 'There was nothing to push.' : `Upstream has the commits of ${sent}.`), pushed };
}

export function pushFailed({ output }: AttemptDesk, { repo, fault }: { repo: string; fault: Fault }): WorkResult {
  output.note([`${repo}: ${fault.message}`, fault.detail, fault.hint].filter((text) => text !== undefined).join('\n'));
  return failedWork({ class: 'upstream', sentence: `${repo}: ${fault.message}` });
}

/**
 * Sends exactly the commits of the request, dependencies first, each expecting what upstream was when the step was
 * planned. It stops at the first that fails; a repeated attempt finds those that went out before as current.
 */
export async function pushCommits(
  { request, output, signal }: AttemptDesk,
  pushes: ScriptWork['pushes'],
): Promise<Pushed> {
  const { env } = gitEnvironment(process.env, { interactive: false });
  const order = pushOrder(request.repos);
  const pushed: AttemptOutcome['pushed'] = [];
  for (const { repo, commit, expected } of pushes.toSorted((a, b) => order.indexOf(a.repo) - order.indexOf(b.repo))) {
    const place = request.repos.find(({ name }) => name === repo);
    if (place === undefined) throw new Fault('INTERNAL', `The push names ${repo}, which is no repo of the run.`);
    const { rootFolder, upstream, pushUrl, defaultBranch } = place;
    try {
      const onStderr = linesWithoutProgress((text) => output.write({ kind: 'stderr', atMs: Date.now(), text }));
      const { kind, unnoted } = await pushCommit({
        rootFolder,
        upstream,
        pushUrl,
        branch: request.workspace,
        commit,
        expected,
        defaultBranch,
        env,
        signal,
        onStderr,
      });
      output.note(
        kind === 'pushed'
          ? `Pushed ${commit.slice(0, 12)} of ${repo} to ${request.workspace}.`
          : `${repo} was there already.`,
      );
      if (unnoted !== null) output.note(unnotedWords(repo, unnoted));
      pushed.push({ repo, commit });
    } catch (error) {
      if (signal.aborted) return { pushed, stopped: 'ended' };
      if (!(error instanceof Fault)) throw error;
      return { pushed, stopped: { repo, fault: error } };
    }
  }
  return { pushed, stopped: null };
}
