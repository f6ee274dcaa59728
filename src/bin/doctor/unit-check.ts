import { ownUnit, orphanedUnits, type UnitFile } from '../../cli/service-unit/own-unit.ts';
import { isLoadedFrom } from '../../cli/service-unit/run-by-unit.ts';
import { type UnitState, unitState } from '../../cli/service-unit/systemctl.ts';
import { execWords } from '../../cli/service-unit/unit-text.ts';
import { shellWord } from '../../git/shell-word.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { readLinger } from '../service-unit/linger.ts';
import { mendOf, missingForStart, missingOf } from './broken-start.ts';
import { type CheckResult, result } from './check.ts';
import { lockHolder } from './service-state.ts';

const NAME = 'unit';

/** What is wrong with a unit, and what mends it. */
interface Finding {
  readonly found: string;
  readonly fix: string;
}

interface LoadedUnit {
  readonly file: UnitFile;
  readonly state: UnitState;
  /** What a start would carry out and is not there. */
  readonly missing: readonly string[];
}

/** Whether the unit of this home, if it has one, can start the service, and when it does and ends. */
export async function checkUnit(layout: HomeLayout, signal: AbortSignal): Promise<CheckResult> {
  const file = await ownUnit(layout);
  if (file === undefined) return withoutUnit();
  const state = await unitState(file.name, { signal });
  const inFile = await findingsInFile(file);
  if (state === undefined || !(await isLoadedFrom(file.path, state)))
    return resultOf(file, 'warning', [...inFile, notLoaded(state)]);
  const missing = await missingForStart(file, state);
  const findings = [...inFile, ...(await findingsInSystemd(layout, { file, state, missing }, signal))];
  if (findings.length > 0) return resultOf(file, missing.length > 0 ? 'broken' : 'warning', findings);
  const does = state.mainPid === 0 ? 'starts' : 'runs';
  return result(NAME, 'ok', `${file.name} ${does} the service, and outlives your sessions`);
}

function resultOf({ name }: UnitFile, state: 'warning' | 'broken', findings: readonly Finding[]): CheckResult {
  const found = findings.map((each) => each.found).join('; ');
  const fixes = findings.map((each) => each.fix).filter((fix) => fix !== '');
  return result(NAME, state, `${name}: ${found}`, fixes.join(' '));
}

/** The unit of a home that is gone may have been this one's before that was moved. */
async function withoutUnit(): Promise<CheckResult> {
  const [orphan] = await orphanedUnits();
  if (orphan === undefined) return result(NAME, 'absent', 'this home has none; `takt service install` makes one');
  return result(
    NAME,
    'warning',
    `this home has none, and ${orphan.name} is that of ${orphan.home}, which is not there`,
    `If that home is gone: \`systemctl --user disable --now ${shellWord(orphan.name)} && rm ${shellWord(orphan.path)}\`; \`takt service install\` makes one for this home.`,
  );
}

async function findingsInFile(file: UnitFile): Promise<Finding[]> {
  const { name, text = '', isEdited } = file;
  const missing = await missingOf(execWords(text));
  const findings = missing.map((path, index) => ({
    found: `it starts ${path}, which is not there`,
    fix: index === 0 ? mendOf(file, path) : '',
  }));
  if (isEdited)
    findings.push({
      found: 'it was edited since takt wrote it',
      fix: `\`systemctl --user edit ${name}\` keeps changes beside it; \`takt service install --force\` writes it anew.`,
    });
  return findings;
}

function notLoaded(state: UnitState | undefined): Finding {
  if (state === undefined)
    return { found: 'no systemd of this user answers', fix: 'The service starts without it; a new login mends that.' };
  return {
    found: state.isLoaded ? `systemd has another one, from ${state.path}` : 'systemd has not loaded it',
    fix: '`systemctl --user daemon-reload` loads it, if HOME and XDG_CONFIG_HOME are the same for systemd as for takt.',
  };
}

async function findingsInSystemd(
  layout: HomeLayout,
  { file, state, missing }: LoadedUnit,
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const own = execWords(file.text ?? '');
  for (const path of missing.filter((each) => !own.includes(each)))
    findings.push({ found: `systemd starts ${path} by it, which is not there`, fix: mendOf(file, path) });
  const pid = lockHolder(layout.lock) ?? 0;
  if (pid !== 0 && pid !== state.mainPid)
    findings.push({
      found: `the service runs outside it, as process ${pid}`,
      fix: missing.length > 0 ? '' : '`takt service restart` hands it over.',
    });
  if (state.isOutdated)
    findings.push({ found: 'it has changed since systemd read it', fix: '`systemctl --user daemon-reload` reads it.' });
  if (!state.isEnabled)
    findings.push({
      found: 'it does not start with your session',
      fix: `\`systemctl --user enable ${file.name}\` lets it.`,
    });
  if ((await readLinger({ signal })) === 'off')
    findings.push({
      found: 'it ends with your last session, and steps that run with it, since lingering is off',
      fix: '`loginctl enable-linger` changes that.',
    });
  return findings;
}
