import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';

/**
 * A relative path of an upstream or a fork becomes the whole one, seen from where the command was typed: the service stands in
 * another folder. As git does, what exists here is a path, whatever else it might be.
 */
export function withWholePath(params: Params, command: Command): Params {
  if (command.name !== 'repo.add') return params;
  const whole = Object.entries(params).map(([name, value]): [string, Params[string]] => [
    name,
    ['upstream', 'pushUrl'].includes(name) && typeof value === 'string' && isPath(value) ? resolve(value) : value,
  ]);
  return Object.fromEntries(whole);
}

function isPath(address: string): boolean {
  return /^\.\.?(\/|$)/.test(address) || (address !== '' && !address.startsWith('~') && existsSync(address));
}
