import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';

/**
 * A relative path of an upstream becomes the whole one, seen from where the command was typed: the service stands in
 * another folder. As git does, what exists here is a path, whatever else it might be.
 */
export function withWholePath(params: Params, command: Command): Params {
  const { upstream } = params;
  if (command.name !== 'repo.add' || typeof upstream !== 'string') return params;
  const isPath =
    /^\.\.?(\/|$)/.test(upstream) || (upstream !== '' && !upstream.startsWith('~') && existsSync(upstream));
  return isPath ? { ...params, upstream: resolve(upstream) } : params;
}
