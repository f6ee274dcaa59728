import type { InstalledUnit, RemovedUnit } from '../../contract/service-unit.ts';
import { cleanText } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { renderFacts } from './table.ts';

const fileWords: Record<InstalledUnit['file'], string> = {
  written: 'Wrote the unit',
  replaced: 'Wrote the unit anew',
  unchanged: 'The unit is as it was',
};
const serviceWords: Record<Exclude<InstalledUnit['service'], 'left'>, string> = {
  started: 'The service runs by it now, and starts with your first session.',
  restarted: 'The service was restarted for it, and starts with your first session.',
  running: 'The service runs by it already.',
};

function wordsOf({ service, isEnabled, isActive, isStale }: InstalledUnit): string {
  if (service !== 'left') return serviceWords[service];
  const runs = isStale ? 'the service runs by it as it was before' : 'the service runs by it';
  if (isActive) return isEnabled ? `It is enabled, and ${runs}.` : `It is not enabled; ${runs}.`;
  return isEnabled ? 'It is enabled, but was not started.' : 'It is loaded, but neither enabled nor started.';
}

/** What is left to do after --no-start. */
function nextOf({ unit, service, isEnabled, isActive, isStale }: InstalledUnit): string {
  if (service !== 'left') return '';
  const enable = isEnabled
    ? ''
    : `\`systemctl --user enable ${isActive ? '' : '--now '}${unit}\` ${isActive ? 'enables it' : 'does both'}.\n`;
  if (isStale) return `${enable}\`takt service restart\` lets it run by the new one; steps that run go on.\n`;
  return isEnabled && !isActive ? '`takt service start` starts it.\n' : enable;
}

/** What `takt service install` did, and what is left to do. */
export function installedText(reply: InstalledUnit, page: Page): string {
  const { style } = page;
  const variables = Object.entries(reply.environment).map(([name, value]): [string, string] => [
    name,
    cleanText(value),
  ]);
  const left = reply.left.map(({ name, why, advice }) => `  ${style.bold(name)}: ${cleanText(why)}. ${advice}\n`);
  return [
    `${style.green(`${fileWords[reply.file]} ${reply.unit}.`)} ${wordsOf(reply)}\n`,
    renderFacts(
      [
        ['home', reply.home],
        ['unit', reply.path],
      ],
      page,
      '  ',
    ),
    reply.stoppedPid === null
      ? ''
      : `The service that ran outside it (process ${reply.stoppedPid}) was stopped; steps that run go on.\n`,
    nextOf(reply),
    variables.length === 0 ? '' : `\nTaken over from this shell, as \`takt service install\` does each time:\n`,
    renderFacts(variables, page, '  '),
    left.length === 0 ? '' : `\nNot taken over:\n${left.join('')}`,
    lingerText(reply, page),
  ].join('');
}

function lingerText({ linger, service }: InstalledUnit, { style }: Page): string {
  switch (linger) {
    case 'on':
      return service === 'left'
        ? ''
        : '\nLingering is on: it starts with the machine and outlives your last session.\n';
    case 'off':
      return `\n${style.yellow('The service ends with your last session')}, and steps that run end with it, since lingering is off. \`takt service install --linger\` (\`loginctl enable-linger\`) changes that.\n`;
    case 'unknown':
      return '\nNo logind answers here, so whether the service and steps that run outlive your last session is not known.\n';
  }
}

/** What `takt service uninstall` did, and what is still there. */
export function removedText(reply: RemovedUnit, home: string, { style }: Page): string {
  if (reply.unit === null) return `${home} has no unit.\n`;
  const stopped = reply.isStopped
    ? ' The service was stopped; steps that run go on, and its next start takes them in.'
    : '';
  return `${style.green(`Removed the unit ${reply.unit}.`)}${stopped}\n${reply.left.map((sentence) => `  ${cleanText(sentence)}\n`).join('')}`;
}
