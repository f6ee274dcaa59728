import { homedir } from 'node:os';
import { claudeExecutable } from '../../../agents/claude-executable.ts';
import { describeModelAccess } from '../../../agents/model-access.ts';
import { findProgram, programInPath } from '../../../confinement/find-program.ts';
import type { ServiceStatus } from '../../../contract/service.ts';
import { liveAttempts } from '../../../store/attempts.ts';
import type { Database } from '../../../store/database.ts';
import { runsInState } from '../../../store/runs.ts';
import { stepsAtOnce } from '../../runs/places.ts';
import type { ServiceParts } from '../../parts.ts';

/** What a service is, as far as it does not change while it runs. */
export interface ServiceFacts {
  readonly version: string;
  readonly homeId: string;
  readonly port: () => number;
  readonly startedAtMs: number;
  readonly unit: string | null;
  /** Found out once, in the background; a reply waits for it. */
  readonly confinement: () => Promise<{ works: boolean; why: string }>;
}

export async function serviceStatus(
  { layout, database, config }: Pick<ServiceParts, 'layout' | 'config'> & { database: Database },
  facts: ServiceFacts,
): Promise<ServiceStatus> {
  const { works, why } = await facts.confinement();
  const settings = config.settings();
  return {
    version: facts.version,
    home: layout.home,
    homeId: facts.homeId,
    pid: process.pid,
    port: facts.port(),
    startedAtMs: facts.startedAtMs,
    unit: facts.unit,
    stepsRunning: liveAttempts(database).length,
    stepsAtOnce: stepsAtOnce(settings),
    runsQueued: runsInState(database, 'queued').length + runsInState(database, 'gathering').length,
    confinement: { works, why, network: 'open' },
    modelAccess: describeModelAccess({ environment: process.env, settings, homeFolder: homedir() }),
    programs: programsOf(process.env['PATH']),
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** git is started by its name alone, and the others by what was looked for more widely. */
function programsOf(path: string | undefined): ServiceStatus['programs'] {
  return {
    git: programInPath('git', path) ?? null,
    gh: findProgram('gh', path) ?? null,
    bwrap: findProgram('bwrap', path) ?? null,
    claude: claudeExecutable() ?? null,
  };
}
