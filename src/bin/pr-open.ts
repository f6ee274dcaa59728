import { jsonText } from '../cli/clean-text.ts';
import type { LocalCall } from '../cli/local-call.ts';
import { Fault } from '../contract/faults.ts';
import type { prList } from '../contract/operations/pr.ts';
import type { ReplyOf } from '../contract/operation.ts';
import { commandNamed } from '../grammar/command-table.ts';
import { openAddress } from './open-address.ts';

/** Opens the pull requests of a workspace in the browser, in the order of merging; without a display it prints them. */
export async function prOpen({ params, flags, table, terminal, signal, connect }: LocalCall): Promise<number> {
  const workspace = params['workspace'] as string;
  const { repo } = params;
  const { pulls } = (await connect().call(commandNamed(table, 'pr.list'), { workspace }, { signal })) as ReplyOf<
    typeof prList
  >;
  const wanted = pulls.filter((pull) => repo === undefined || pull.repo === repo);
  if (wanted.length === 0) {
    const what =
      typeof repo === 'string'
        ? `The repo ${repo} of ${workspace} has no pull request.`
        : `The workspace ${workspace} has no pull requests.`;
    throw new Fault('PR_NOT_FOUND', what);
  }
  if (flags.json) {
    await terminal.write(`${jsonText({ urls: wanted.map(({ url }) => url) }, 2)}\n`);
    return 0;
  }
  for (const { url } of wanted) {
    const isOpen = params['print'] !== true && (await openAddress(url));
    await terminal.write(isOpen ? `Opened ${url}\n` : `${url}\n`);
  }
  return 0;
}
