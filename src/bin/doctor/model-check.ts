import { homedir } from 'node:os';
import { describeModelAccess } from '../../agents/model-access.ts';
import { openConfig } from '../../config/config-source.ts';
import { faults } from '../../contract/faults.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { type CheckResult, result } from './check.ts';
import { serviceState, statusOf } from './service-state.ts';

const NAME = 'model access';

/**
 * Whether agents reach a model. The service starts them, with its own environment; what this shell has counts only for a
 * service that it starts.
 */
export async function checkModelAccess(
  layout: HomeLayout,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<CheckResult> {
  const settings = openConfig(layout).settings();
  const shell = describeModelAccess({
    environment: { ...environment, ...settings.environment },
    settings,
    homeFolder: environment['HOME'] ?? homedir(),
  });
  const isAnswering = (await serviceState(layout, signal)).kind === 'answers';
  const service = isAnswering ? (await statusOf(layout, signal))?.modelAccess : undefined;
  if (service === undefined)
    return shell.works
      ? result(NAME, 'ok', shell.what)
      : result(NAME, 'warning', shell.what, faults.MODEL_ACCESS_MISSING.hint);
  if (service.works)
    return result(
      NAME,
      'ok',
      service.what === shell.what ? service.what : `the service: ${service.what}; this shell: ${shell.what}`,
    );
  return shell.works
    ? result(
        NAME,
        'warning',
        `the service: ${service.what} This shell has ${shell.what}.`,
        '`takt service restart` from this shell gives the service what the shell has.',
      )
    : result(NAME, 'warning', service.what, faults.MODEL_ACCESS_MISSING.hint);
}
