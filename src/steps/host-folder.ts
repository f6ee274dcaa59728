import { mkdirSync } from 'node:fs';

const ENDING = '.host';

/**
 * Where hosts keep what they know of a run and its work may neither read nor write: beside the agent's folder, and to be
 * removed with it.
 */
export function hostFolder({ agentFolder }: { readonly agentFolder: string }): string {
  return `${agentFolder}${ENDING}`;
}

/** The run that a folder among those of agents is of, by the folder's name. */
export function runOfFolder(name: string): string {
  return name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : name;
}

/** Makes it if it is not there. */
export function makeHostFolder(request: { readonly agentFolder: string }): string {
  const folder = hostFolder(request);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
