import type { LocalCall } from '../cli/local-call.ts';
import type { linkCreate } from '../contract/operations/service.ts';
import type { ReplyOf } from '../contract/operation.ts';
import { commandNamed } from '../grammar/command-table.ts';
import { openAddress } from './open-address.ts';

/** Opens a one-time link in the browser; without a display, or with --print, it prints the link. */
export async function openPage({ params, flags, table, terminal, signal, connect }: LocalCall): Promise<number> {
  const reply = (await connect().call(commandNamed(table, 'link.create'), {}, { signal })) as ReplyOf<
    typeof linkCreate
  >;
  if (flags.json) {
    await terminal.write(`${JSON.stringify(reply, null, 2)}\n`);
    return 0;
  }
  if (params['print'] !== true && (await openAddress(reply.url))) {
    await terminal.write('Opened the page in your browser.\n');
    return 0;
  }
  await terminal.write(`${reply.url}\n`);
  if (terminal.page.width !== null)
    terminal.writeError(`It works once, for ${Math.round((reply.expiresAtMs - Date.now()) / 1000)} seconds.\n`);
  return 0;
}
