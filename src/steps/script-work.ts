import type { AttemptOutcome, AttemptWork } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { gitEnvironment } from '../git/git.ts';
import { pushCommit, pushOrder } from '../git/push.ts';
import type { AttemptDesk } from './attempt-desk.ts';
import { endedWork, failedWork, passedWork, type WorkResult } from './work-result.ts';

type ScriptWork = Extract<AttemptWork, { kind: 'script' }>;

/** Carries out a script step. It runs outside every confinement, with the operator's own credentials for git. */
export async function runScriptWork(desk: AttemptDesk, work: ScriptWork): Promise<WorkResult> {
  switch (work.script) {
    case 'push_to_github':
      return pushToUpstream(desk, work.pushes);
    case 'create_pr':
    case 'merge_upstream':
      // A pipeline with one of these is refused when it is set.
      throw new Fault('PIPELINE_INVALID', `This takt does not carry out ${work.script}.`);
  }
}

/**
 * Sends exactly the commits of the request, dependencies first, each expecting what upstream was when the step was
 * planned. It stops at the first that fails; a repeated attempt finds those that went out before as current.
 */
async function pushToUpstream(
  { request, output, signal }: AttemptDesk,
  pushes: ScriptWork['pushes'],
): Promise<WorkResult> {
  const { env } = gitEnvironment(process.env, { interactive: false });
  const order = pushOrder(request.repos);
  const pushed: AttemptOutcome['pushed'] = [];
  for (const { repo, commit, expected } of pushes.toSorted((a, b) => order.indexOf(a.repo) - order.indexOf(b.repo))) {
    const place = request.repos.find(({ name }) => name === repo);
    if (place === undefined) throw new Fault('INTERNAL', `The push names ${repo}, which is no repo of the run.`);
    const { rootFolder, upstream, defaultBranch } = place;
    try {
      const onStderr = linesWithoutProgress((text) => output.write({ kind: 'stderr', atMs: Date.now(), text }));
      const { kind } = await pushCommit({
        rootFolder,
        upstream,
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
      pushed.push({ repo, commit });
    } catch (error) {
      if (signal.aborted) return { ...endedWork, pushed };
      if (!(error instanceof Fault)) throw error;
      output.note(
        [`${repo}: ${error.message}`, error.detail, error.hint].filter((text) => text !== undefined).join('\n'),
      );
      return { ...failedWork({ class: 'upstream', sentence: `${repo}: ${error.message}` }), pushed };
    }
  }
  const sent = pushed.map(({ repo }) => repo).join(', ');
  return { ...passedWork(sent === '' ? 'There was nothing to push.' : `Upstream has the commits of ${sent}.`), pushed };
}

/** Passes on whole lines as a terminal shows them at the end: what a carriage return overwrote is left out. */
function linesWithoutProgress(write: (text: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) write(`${line.slice(line.lastIndexOf('\r') + 1)}\n`);
  };
}
