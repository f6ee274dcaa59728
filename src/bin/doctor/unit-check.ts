import { ownUnit, orphanedUnits, type UnitFile } from '../../cli/service-unit/own-unit.ts';
import { isLoadedFrom } from '../../cli/service-unit/run-by-unit.ts';
import { unitState } from '../../cli/service-unit/systemctl.ts';
import { execWords } from '../../cli/service-unit/unit-text.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { readLinger } from '../service-unit/linger.ts';
import { type CheckResult, result } from './check.ts';

const NAME = 'unit';

/** What is wrong with a unit, and what mends it. */
interface Finding {
  readonly found: string;
  readonly fix: string;
}

/** Whether the unit of this home, if it has one, can start the service, and when it does and ends. */
export async function checkUnit(layout: HomeLayout, signal: AbortSignal): Promise<CheckResult> {
  const file = await ownUnit(layout);
  if (file === undefined) return withoutUnit();
  const findings = [...(await findingsInFile(file)), ...(await findingsInSystemd(file, signal))];
  if (findings.length === 0) return result(NAME, 'ok', `${file.name} runs the service, and outlives your sessions`);
  const found = findings.map((each) => each.found).join('; ');
  return result(NAME, 'warning', `${file.name}: ${found}`, findings.map((each) => each.fix).join(' '));
}

/** The unit of a home that is gone may have been this one's before that was moved. */
async function withoutUnit(): Promise<CheckResult> {
  const [orphan] = await orphanedUnits();
  if (orphan === undefined) return result(NAME, 'absent', 'this home has none; `takt service install` makes one');
  return result(
    NAME,
    'warning',
    `this home has none, and ${orphan.name} is that of ${orphan.home}, which is not there`,
    `If that home is gone: \`systemctl --user disable --now ${orphan.name}\`, then remove ${orphan.path}; \`takt service install\` makes one for this home.`,
  );
}

async function findingsInFile({ name, text = '', isEdited }: UnitFile): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of execWords(text).filter((word) => word.startsWith('/')))
    if (!(await isThere(path)))
      findings.push({
        found: `it starts ${path}, which is not there`,
        fix: `\`takt service install${isEdited ? ' --force' : ''}\` writes it anew.`,
      });
  if (isEdited)
    findings.push({
      found: 'it was edited since takt wrote it',
      fix: `\`systemctl --user edit ${name}\` keeps changes beside it; \`takt service install --force\` writes it anew.`,
    });
  return findings;
}

async function findingsInSystemd({ name, path }: UnitFile, signal: AbortSignal): Promise<Finding[]> {
  const state = await unitState(name, { signal });
  if (state === undefined)
    return [
      { found: 'no systemd of this user answers', fix: 'The service starts without it; a new login mends that.' },
    ];
  if (!(await isLoadedFrom(path, state))) {
    const from = state.isLoaded ? `systemd has another one, from ${state.path}` : 'systemd has not loaded it';
    const fix =
      '`systemctl --user daemon-reload` loads it, if HOME and XDG_CONFIG_HOME are the same for systemd as for takt.';
    return [{ found: from, fix }];
  }
  const findings: Finding[] = [];
  if (state.isOutdated)
    findings.push({ found: 'it has changed since systemd read it', fix: '`systemctl --user daemon-reload` reads it.' });
  if (!state.isEnabled)
    findings.push({
      found: 'it does not start with your session',
      fix: `\`systemctl --user enable ${name}\` lets it.`,
    });
  if ((await readLinger({ signal })) === 'off')
    findings.push({
      found: 'it ends with your last session, and steps that run with it, since lingering is off',
      fix: '`loginctl enable-linger` changes that.',
    });
  return findings;
}
