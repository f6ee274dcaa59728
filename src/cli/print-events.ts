import type { Client } from '../client/client.ts';
import { Fault } from '../contract/faults.ts';
import type { Command } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';
import type { Terminal } from './terminal.ts';

/**
 * Prints each event as a line of JSON until the connection ends or Ctrl-C; a frame without id is printed as it came.
 */
export async function printEvents(
  command: Command,
  params: Params,
  { client, terminal, signal }: { client: Client; terminal: Terminal; signal: AbortSignal },
): Promise<number> {
  for await (const { event, data } of client.events(command, params, { signal })) {
    if (event !== 'open') await terminal.write(event === 'resync' ? '{"topic":"resync"}\n' : `${data}\n`);
  }
  throw new Fault('SERVICE_UNREACHABLE', 'The service ended the stream.', {
    hint: '`takt events --after ID` goes on after the event with that id.',
  });
}
