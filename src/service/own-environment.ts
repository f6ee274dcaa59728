import { openConfig } from '../config/config-source.ts';
import { Fault } from '../contract/faults.ts';
import type { HomeLayout } from '../platform/home-layout.ts';

/**
 * Puts the setting `environment` into the environment of this process: once, before anything reads that. A file that
 * cannot be read is told by `warn` and does not keep the service from starting, as with all settings.
 */
export function applyEnvironment(
  layout: HomeLayout,
  environment: NodeJS.ProcessEnv,
  warn: (sentence: string) => void,
): void {
  try {
    Object.assign(environment, openConfig(layout).settings().environment);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    warn(`${error.message} So its environment does not hold; mend it, then \`takt service restart\`.`);
  }
}
