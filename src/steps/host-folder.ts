import { mkdirSync } from 'node:fs';
import type { AttemptRequest } from '../contract/attempt.ts';

/**
 * Where hosts keep what they know of a run and its work may neither read nor write: beside the agent's folder. It goes
 * when the agent's folder goes. Made if it is not there.
 */
export function hostFolder({ agentFolder }: AttemptRequest): string {
  const folder = `${agentFolder}.host`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
