import { createHash } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';

/** What a unit of takt's own is made of. */
export interface UnitFacts {
  readonly home: string;
  readonly program: string;
  readonly args: readonly string[];
  /** In the order in which it is written. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A variable by which a process is known to run by a unit as it was written at a certain time. */
export const UNIT_MARK = 'TAKT_UNIT';
const markLine = new RegExp(`^Environment=(${UNIT_MARK}=.*)$`, 'm');

const HEAD = '# Written by `takt service install`, which keeps what you edit here unless it is told --force.';
const CHECKSUM = '# Checksum of all that follows: ';
/** Wrong input, and a state that does not mend itself: starting again would end the same way. */
const NO_RESTART_CODES = '2 5';

/**
 * The text of the unit, for any path: quoted and escaped as systemd.service(5) and systemd.syntax(7) want it. Only the
 * main process is killed, and a lack of memory in a step is no reason to end the service: step hosts have to outlive it.
 * A service that is stopped ends with 0 and stays down. Fault INPUT_INVALID for a path with control characters.
 */
export function unitText({ home, program, args, environment }: UnitFacts): string {
  for (const text of [home, program, ...args]) refuseControls(text);
  const body = [
    '[Unit]',
    `Description=takt: the service of ${withoutSpecifiers(home)}`,
    'StartLimitIntervalSec=300',
    'StartLimitBurst=5',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${commandLine(program, args)}`,
    `WorkingDirectory=${withoutSpecifiers(home)}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${word(`${name}=${value}`)}`),
    'KillMode=process',
    'OOMPolicy=continue',
    'Restart=on-failure',
    'RestartSec=5',
    `RestartPreventExitStatus=${NO_RESTART_CODES}`,
    'TimeoutStopSec=30',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
    // systemd passes over sections that begin so.
    '[X-Takt]',
    `Home=${JSON.stringify(home)}`,
    '',
  ].join('\n');
  return withChecksum(body);
}

/** The same unit with another mark in the place of its own. */
export function withMark(text: string, mark: string): string {
  const body = text.split('\n').slice(2).join('\n');
  return withChecksum(body.replace(markLine, `Environment=${UNIT_MARK}=${mark}`));
}

/** The mark of a unit as a process has it among its variables; undefined if it has none. */
export const markOf = (text: string): string | undefined => markLine.exec(text)?.[1];

/** True if two units that takt wrote differ in nothing but the mark. */
export const isSameUnit = (one: string, other: string): boolean => withMark(one, '') === withMark(other, '');

/** Whose unit a text is, and whether somebody changed it; undefined if takt did not write it. */
export function readUnit(text: string): { home: string; isEdited: boolean } | undefined {
  const sum = new RegExp(`^${CHECKSUM}([0-9a-f]{64})$`, 'm').exec(text);
  const home = /^\[X-Takt\]\nHome=(".*")$/m.exec(text)?.[1];
  if (sum === null || home === undefined) return undefined;
  const body = text.slice(sum.index + sum[0].length + 1);
  const isEdited = checksum(body) !== sum[1] || !text.startsWith(`${HEAD}\n${CHECKSUM}`);
  try {
    return { home: String(JSON.parse(home)), isEdited };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The words of the command that a unit starts, as they are without quotes and escapes; none if it names no command. */
export function execWords(text: string): string[] {
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? '';
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain = ''], index) => {
    const word = (quoted?.replaceAll(/\\(.)/g, '$1') ?? plain).replaceAll('%%', '%');
    return index === 0 ? word : word.replaceAll('$$', () => '$');
  });
}

/** systemd takes no program whose path holds a quote or a backslash, so that a shell has to become that one. */
function commandLine(program: string, args: readonly string[]): string {
  const words = /["'\\]/.test(program) ? ['/bin/sh', '-c', 'exec "$0" "$@"', program, ...args] : [program, ...args];
  // In the path of the program itself a dollar is a dollar.
  return words.map((text, index) => word(index === 0 ? text : text.replaceAll('$', '$$$$'))).join(' ');
}

/** One word of a line that is split at blanks. */
function word(text: string): string {
  const escaped = withoutSpecifiers(text).replaceAll(/["\\]/g, String.raw`\$&`);
  return /^[\w/@%+=:,.$-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

const withoutSpecifiers = (text: string): string => text.replaceAll('%', '%%');

function refuseControls(text: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  if (!/[\u0000-\u001f\u007f]/.test(text) && !/[\s\\]$/.test(text)) return;
  throw new Fault('INPUT_INVALID', `The path ${JSON.stringify(text)} cannot be written into a unit.`, {
    hint: 'Choose a path without control characters that does not end with a blank or a backslash.',
  });
}

const withChecksum = (body: string): string => `${HEAD}\n${CHECKSUM}${checksum(body)}\n${body}`;

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
