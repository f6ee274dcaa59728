import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import { claudeExecutable } from '../../agents/claude-executable.ts';
import { findProgram } from '../../confinement/find-program.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { isAlive, identityOf } from '../../platform/process-identity.ts';
import { lockHome } from '../../service/home-lock.ts';
import { readServiceFile, removeServiceFile } from '../../service/service-file.ts';
import { type BrokenStart, brokenStart, missingForProcess } from './broken-start.ts';
import { type CheckResult, result } from './check.ts';
import { serviceState, statusOf } from './service-state.ts';

const NAME = 'service';

/** Whether a service runs and answers, whether it is of this version, and what one that was killed has left. */
export async function checkService(layout: HomeLayout, signal: AbortSignal): Promise<CheckResult> {
  const state = await serviceState(layout, signal);
  const file = await readServiceFile(layout);
  const broken = await brokenStart(layout, signal);
  switch (state.kind) {
    case 'answers':
      return whileItAnswers(layout, { file, broken }, signal);
    case 'silent': {
      const pid = state.pid ?? (file !== undefined && isNow(file.pid) ? file.pid : undefined);
      const who = pid === undefined || pid === 0 ? 'the service' : `the service (process ${pid})`;
      const end = pid === undefined || pid === 0 ? 'End it' : `\`kill -9 ${pid}\` ends it`;
      const next = broken === undefined ? ', and the next command starts another.' : `. ${broken.fix}`;
      return result(
        NAME,
        'warning',
        `${who} does not answer`,
        `\`takt service logs\` says what it did last. ${end}; steps that run go on${next}`,
      );
    }
    case 'none': {
      if (state.left.length > 0) {
        const left = state.left.map((path) => basename(path)).join(' and ');
        const found = `does not run; one that was killed left ${left}`;
        return result(NAME, 'warning', found, 'The next start clears that away.', () => clearDeadService(layout));
      }
      return broken === undefined
        ? result(NAME, 'ok', 'does not run; the next command starts it')
        : result(NAME, 'warning', `does not run, and cannot: ${broken.found}`, broken.fix);
    }
  }
}

type ServiceFile = Awaited<ReturnType<typeof readServiceFile>>;

async function whileItAnswers(
  layout: HomeLayout,
  { file, broken }: { file: ServiceFile; broken: BrokenStart | undefined },
  signal: AbortSignal,
): Promise<CheckResult> {
  const found = file === undefined ? 'runs' : `process ${file.pid} answers, on port ${file.port}`;
  const unfound = await missingPrograms(layout, signal);
  const [gone] = file === undefined ? [] : await missingForProcess(file.pid);
  // A service whose own folder is gone misses what lies there, such as claude, for that reason alone.
  if (gone !== undefined && !unfound.includes('git'))
    return result(
      NAME,
      'warning',
      `${found}, and was started from ${gone}, which is not there`,
      broken?.fix ?? '`takt service restart` starts this takt; steps that run go on.',
    );
  if (unfound.length > 0)
    return result(
      NAME,
      unfound.includes('git') ? 'broken' : 'warning',
      `${found}, and does not find ${unfound.join(' and ')} in its PATH`,
      'Mend PATH under `environment` in settings.yaml if it is there, then `takt service restart` from a shell that finds it.',
    );
  return file === undefined || file.version === packageJson.version
    ? result(NAME, 'ok', found)
    : result(
        NAME,
        'warning',
        `${found}, and is version ${file.version}, while this takt is ${packageJson.version}`,
        '`takt service restart` starts this one; steps that run go on.',
      );
}

/** What the service does not find and cannot do without, or does not find while this shell does. */
async function missingPrograms(layout: HomeLayout, signal: AbortSignal): Promise<string[]> {
  const programs = (await statusOf(layout, signal))?.programs;
  // One of an older version does not say.
  if (programs === undefined) return [];
  const path = process.env['PATH'];
  const isMissing = {
    git: programs.git === null,
    gh: programs.gh === null && findProgram('gh', path) !== undefined,
    bwrap: programs.bwrap === null && findProgram('bwrap', path) !== undefined,
    claude: programs.claude === null && claudeExecutable() !== undefined,
  };
  return Object.entries(isMissing).flatMap(([name, is]) => (is ? [name] : []));
}

const isNow = (pid: number): boolean => {
  const identity = identityOf(pid);
  return identity !== undefined && isAlive(identity);
};

/** With the home's lock, so that no service runs or starts meanwhile. Fault SERVICE_LOCKED if one does. */
async function clearDeadService(layout: HomeLayout): Promise<string> {
  const lock = await lockHome(layout);
  try {
    await rm(layout.socket, { force: true });
    await removeServiceFile(layout);
    return 'removed what a killed service had left';
  } finally {
    lock.release();
  }
}
