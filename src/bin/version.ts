import packageJson from '../../package.json' with { type: 'json' };
import { completionScripts, type Shell } from '../cli/completion-scripts.ts';
import type { LocalCall } from '../cli/local-call.ts';

export async function version({ terminal, flags }: LocalCall): Promise<number> {
  const facts = { version: packageJson.version, node: process.versions.node };
  await terminal.write(flags.json ? `${JSON.stringify(facts, null, 2)}\n` : `takt ${facts.version}\n`);
  return 0;
}

/** Prints the script that a shell loads; where to put it stands in its help. */
export async function completion({ params, terminal }: LocalCall): Promise<number> {
  await terminal.write(completionScripts[params['shell'] as Shell]);
  return 0;
}
