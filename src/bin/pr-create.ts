import { jsonText, oneLine } from '../cli/clean-text.ts';
import { isConfirmed } from '../cli/confirm.ts';
import type { LocalCall } from '../cli/local-call.ts';
import { pushPlanText } from '../cli/print/push-plan.ts';
import { printReply } from '../cli/print/print-reply.ts';
import { Fault } from '../contract/faults.ts';
import type { prCreate as pullPlan } from '../contract/operations/pr.ts';
import type { ReplyOf } from '../contract/operation.ts';
import type { OpenedPull } from '../contract/pull-request.ts';
import { gitEnvironment } from '../git/git.ts';
import { ghEnvironment } from '../github/gh-api.ts';
import { openPulls, placePulls, type PlacedPull } from '../github/open-pulls.ts';
import { nameOf } from '../github/pull-text.ts';
import { commandNamed } from '../grammar/command-table.ts';
import { outgoingPushes, planOf, pushInOrder, refuseDiverged } from './push.ts';

type Plan = ReplyOf<typeof pullPlan>;

/**
 * Opens the pull requests of a workspace as the step create_pr does, with the caller's own credentials: it finds out
 * whether that can be done, shows what would go out, asks, pushes, opens, and tells the service.
 */
export async function prCreate(call: LocalCall): Promise<number> {
  const { params, flags, table, terminal, signal } = call;
  const client = call.connect();
  const workspace = params['workspace'] as string;
  const [pushes, plan] = await Promise.all([
    planOf(client, call),
    client.call(commandNamed(table, 'pr.create'), params, { signal }) as Promise<Plan>,
  ]);
  refuseDiverged(pushes);
  if (plan.pulls.length === 0)
    throw new Fault('PR_NOT_FOUND', `No repo of ${workspace} has commits that upstream’s default branch lacks.`, {
      hint: 'Push work to its branch first.',
    });
  const placed = await placedPulls(plan, call);
  const merged = placed.filter(({ isMerged }) => isMerged).map(({ wanted }) => wanted.repo);
  const outgoing = outgoingPushes(pushes).filter(({ repo }) => !merged.includes(repo));
  if (!flags.json)
    await terminal.write(`${outgoing.length === 0 ? '' : pushPlanText(pushes, terminal.page)}${pullPlanText(placed)}`);
  if (!flags.yes) {
    if (!terminal.canAsk || flags.json)
      throw new Fault(
        'CONFIRMATION_NEEDED',
        `This opens pull requests for ${workspace}, and nobody can be asked here.`,
      );
    const question = outgoing.length === 0 ? 'Open them?' : 'Push, and open them?';
    if (!(await isConfirmed(question, { terminal, signal }))) return 1;
  }
  await pushInOrder(outgoing, pushes.branch, client, call);
  const opened = new Map<string, OpenedPull>();
  try {
    await openPulls(placed, {
      env: ghEnvironment(process.env),
      signal,
      onOpened: (pull) => opened.set(pull.repo, pull),
      note: (sentence) => (flags.json ? undefined : terminal.writeError(`${sentence}\n`)),
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Fault('CANCELLED', 'Interrupted.', {
      hint: 'One that was just being opened may be there; the same command finds it.',
      cause: error,
    });
  } finally {
    // Also what was opened before a failure or Ctrl-C.
    if (opened.size > 0)
      await client.call(
        commandNamed(table, 'pr.record'),
        { workspace, pulls: [...opened.values()] },
        { signal: AbortSignal.timeout(RECORD_LIMIT_MS) },
      );
  }
  const list = commandNamed(table, 'pr.list');
  const reply = await client.call(list, { workspace }, { signal });
  await terminal.write(flags.json ? `${jsonText(reply, 2)}\n` : await printReply(list, reply, {}, terminal.page));
  return 0;
}

const RECORD_LIMIT_MS = 10_000;

async function placedPulls({ workspace, pulls }: Plan, { signal }: LocalCall): Promise<PlacedPull[]> {
  const { env } = gitEnvironment(process.env, { interactive: false });
  const caller = { env: ghEnvironment(process.env), signal };
  return placePulls(pulls, workspace, { finding: { folder: '/', env, signal }, caller });
}

function pullPlanText(placed: readonly PlacedPull[]): string {
  const lines = placed.map(({ wanted, place, head }) => {
    const from = head.owner === place.owner && head.name === place.name ? head.branch : `${head.owner}:${head.branch}`;
    return `  ${wanted.repo}  ${nameOf(place)}  ${from} → ${wanted.defaultBranch}  ${oneLine(wanted.title)}\n`;
  });
  return `Pull requests${placed[0]?.wanted.isDraft === true ? ', as drafts' : ''}, in the order of merging:\n${lines.join('')}\n`;
}
