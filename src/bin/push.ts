import { jsonText } from '../cli/clean-text.ts';
import { existsSync } from 'node:fs';
import { isConfirmed } from '../cli/confirm.ts';
import type { LocalCall } from '../cli/local-call.ts';
import { pushPlanText } from '../cli/print/push-plan.ts';
import type { Client } from '../client/client.ts';
import { Fault } from '../contract/faults.ts';
import type { push as pushPlan } from '../contract/operations/push.ts';
import type { repoList } from '../contract/operations/repo.ts';
import type { ReplyOf } from '../contract/operation.ts';
import { gitEnvironment } from '../git/git.ts';
import { pushCommit, unnotedWords } from '../git/push.ts';
import { commandNamed } from '../grammar/command-table.ts';
import { pushAddresses } from './push-address.ts';

type Plan = ReplyOf<typeof pushPlan>;
type RepoPlan = Plan['repos'][number];

/**
 * Shows what would go out, asks, and pushes repo after repo with the operator's own git credentials. The first failure
 * ends it; what went out before stays out and is recorded, so the same command goes on there.
 */
export async function push(call: LocalCall): Promise<number> {
  const { params, flags, terminal, signal } = call;
  const client = call.connect();
  const workspace = params['workspace'] as string;
  const plan = await planOf(client, call);
  const isDry = params['dryRun'] === true;
  if (!flags.json) await terminal.write(pushPlanText(plan, terminal.page));
  else if (isDry) await terminal.write(asJson(plan));
  const outgoing = outgoingPushes(plan);
  refuseDiverged(plan);
  if (isDry || (outgoing.length === 0 && !flags.json)) return 0;

  if (!flags.yes && outgoing.length > 0) {
    if (!terminal.canAsk || flags.json)
      throw new Fault('CONFIRMATION_NEEDED', `This pushes ${workspace} to upstream, and nobody can be asked here.`);
    if (!(await isConfirmed(`Push ${outgoing.map(({ repo }) => repo).join(', ')}?`, { terminal, signal }))) return 1;
  }
  await pushInOrder(outgoing, plan.branch, client, call);
  if (flags.json) await terminal.write(asJson(await planOf(client, call)));
  return 0;
}

/** What a push of the workspace would send. */
export async function planOf(client: Client, { params, table, signal }: LocalCall): Promise<Plan> {
  const asked = {
    workspace: params['workspace'],
    ...(params['repos'] === undefined ? {} : { repos: params['repos'] }),
  };
  return (await client.call(commandNamed(table, 'push.plan'), asked, { signal })) as Plan;
}

/** Fault UPSTREAM_MOVED, before anything goes out. */
export function refuseDiverged({ repos, branch }: Plan): void {
  const diverged = repos.filter(({ state }) => state === 'diverged').map(({ repo }) => repo);
  if (diverged.length === 0) return;
  throw new Fault(
    'UPSTREAM_MOVED',
    `The branch ${branch} of upstream holds commits that ours lacks, in ${diverged.join(' and ')}; nothing was pushed.`,
    { hint: `\`takt workspace pull ${branch}\` takes in what came, or says how to merge it; then push again.` },
  );
}

/**
 * What has to go out. Fault INPUT_INVALID if that is elsewhere: the root repos and the operator's credentials are on the
 * machine of the service.
 */
export function outgoingPushes({ repos }: Plan): RepoPlan[] {
  const outgoing = repos.filter(({ state }) => state === 'to_push');
  const missing = outgoing.find(({ rootFolder }) => !existsSync(rootFolder));
  if (missing === undefined) return outgoing;
  throw new Fault('INPUT_INVALID', `The root repo ${missing.rootFolder} is not on this machine.`, {
    hint: 'Push on the machine on which the service runs.',
  });
}

/** The plan is in dependency order already. */
export async function pushInOrder(
  repos: readonly RepoPlan[],
  branch: string,
  client: Client,
  { params, flags, table, terminal, signal }: LocalCall,
): Promise<void> {
  const { repos: known } = (await client.call(commandNamed(table, 'repo.list'), {}, { signal })) as ReplyOf<
    typeof repoList
  >;
  const out: string[] = [];
  for (const planned of repos) {
    const { repo, rootFolder, commit, expected } = planned;
    const defaultBranch = known.find(({ name }) => name === repo)!.defaultBranch;
    if (!flags.json) terminal.writeError(terminal.errorPage.style.dim(`pushing ${repo}…\n`));
    try {
      const { env } = gitEnvironment(process.env, { interactive: terminal.canAsk, hasAskpass: true });
      const addresses = pushAddresses(planned);
      const what = { rootFolder, ...addresses, branch, commit, expected, defaultBranch };
      const { unnoted } = await pushCommit({ ...what, env, signal });
      out.push(repo);
      if (unnoted !== null) terminal.writeError(`takt: ${unnotedWords(repo, unnoted)}\n`);
      await client.call(
        commandNamed(table, 'push.record'),
        { workspace: params['workspace'], repo, commit },
        { signal },
      );
    } catch (error) {
      throw stoppedAt(error, repo, out, againWords(params));
    }
    if (!flags.json)
      await terminal.write(
        `${terminal.page.style.green('✓')} ${repo}: ${branch} is at ${commit.slice(0, 8)} ${whereOf(planned)}\n`,
      );
  }
}

const whereOf = ({ upstream, pushUrl }: RepoPlan): string => (pushUrl === upstream ? 'upstream' : 'in the fork');

/** The same fault, saying what is out already. */
function stoppedAt(error: unknown, repo: string, out: readonly string[], again: string): unknown {
  if (!(error instanceof Fault)) return error;
  const isOut = out.at(-1) === repo;
  const before = out.length === 0 ? 'Nothing went out' : `${out.join(', ')} went out${isOut ? '' : ' before'}`;
  const detail = error.detail === undefined ? {} : { detail: error.detail };
  const what = isOut ? `${repo} went out, and that could not be noted: ` : `${repo}: `;
  return new Fault(error.code, `${what}${error.message}`, {
    hint: `${before}. ${error.hint} Then \`${again}\` goes on.`,
    cause: error,
    ...detail,
  });
}

function againWords(params: LocalCall['params']): string {
  const repos = (params['repos'] as string[] | undefined) ?? [];
  return `takt push ${params['workspace'] as string}${repos.length === 0 ? '' : ` --repos ${repos.join(',')}`}`;
}

const asJson = (reply: unknown): string => `${jsonText(reply, 2)}\n`;
