import { jsonText } from '../clean-text.ts';
import type { Command } from '../../grammar/command-table.ts';
import type { Params } from '../../grammar/parse-line.ts';
import type { Page } from '../terminal.ts';

/** Prints one operation's reply for people. It may be sure of the reply's shape: the service checked it. */
export type PrintReply = (reply: never, page: Page, params: Params) => string;
export type Printers = Readonly<Record<string, PrintReply>>;

/** One file per noun, loaded when it is needed: a command starts faster than all of them load. */
export const printersOf: Readonly<Record<string, () => Promise<Printers>>> = {
  repo: async () => (await import('./repos.ts')).repoPrinters,
  workspace: async () => (await import('./workspaces.ts')).workspacePrinters,
  run: async () => (await import('./runs.ts')).runPrinters,
  context: async () => (await import('./guidance.ts')).guidancePrinters,
  template: async () => (await import('./guidance.ts')).guidancePrinters,
  role: async () => (await import('./guidance.ts')).guidancePrinters,
  guidance: async () => (await import('./guidance.ts')).guidancePrinters,
  setting: async () => (await import('./settings.ts')).settingPrinters,
  service: async () => (await import('./service.ts')).servicePrinters,
  pr: async () => (await import('./pulls.ts')).pullPrinters,
  job: async () => (await import('./service.ts')).servicePrinters,
};

/** The reply as text; an operation without a printer of its own prints as JSON. */
export async function printReply(
  command: Pick<Command, 'name'>,
  reply: unknown,
  params: Params,
  page: Page,
): Promise<string> {
  const [noun = ''] = command.name.split('.');
  const printers = await printersOf[noun]?.();
  const print = printers?.[command.name];
  return print === undefined ? `${jsonText(reply, 2)}\n` : print(reply as never, page, params);
}
