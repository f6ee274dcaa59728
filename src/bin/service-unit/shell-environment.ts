import { resolve } from 'node:path';
import { looksSecret } from '../../contract/secret-look.ts';
import type { LeftVariable } from '../../contract/service-unit.ts';

const namesIn = (...lines: string[]): string[] => lines.flatMap((line) => line.split(' '));

/** Those of the variables below that name files and folders, some of them several with colons between. */
const FILES = namesIn(
  'GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_EXEC_PATH NETRC GNUPGHOME KRB5_CONFIG GH_CONFIG_DIR CLAUDE_CONFIG_DIR',
  'SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE PIP_CERT CARGO_HTTP_CAINFO',
  'GIT_SSL_CAINFO GIT_SSL_CAPATH GIT_SSL_CERT GIT_SSL_KEY',
);
const LISTS = ['SSL_CERT_DIR', 'KRB5_CONFIG'];
/** Each a program, which is a file only where there is a slash in it. */
const PROGRAMS = ['GIT_SSH', 'GIT_PROXY_COMMAND'];
/** What a login session of systemd lacks, though git, gh, Claude or the tools of steps need it. */
const WANTED = namesIn(
  'PATH LANG LC_ALL LC_CTYPE TZ XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME SSH_AUTH_SOCK',
  'GIT_SSH GIT_SSH_COMMAND GIT_SSH_VARIANT GIT_PROXY_COMMAND GIT_CONFIG_NOSYSTEM GH_HOST ANTHROPIC_BASE_URL',
).concat(FILES);
const WANTED_PREFIXES = ['GIT_SSL_', 'GIT_HTTP_'];
/** A program, and options of ssh(1) that name a file, a setting or a port: nowhere in there is room for a password. */
const PLAIN_SSH = /^[\w@%+:,./~-]+( +(-[iF] *[\w@%+:,./~-]+|-o *\w+=[\w@%+:,./~-]+|-p *\d+|-[46aACknqTvxX]+))*$/;
const PROXY = /^(https?|ftp|all|no)_proxy$/i;

/** Secrets that somebody may miss in the service, with the place where each belongs. */
const SECRETS: Readonly<Record<string, string>> = {
  ANTHROPIC_API_KEY: 'Put it into a file of mode 0600 and name that: `takt setting set model.key_file FILE`.',
  ANTHROPIC_AUTH_TOKEN: 'Put it into a file of mode 0600 and name that: `takt setting set model.key_file FILE`.',
  CLAUDE_CODE_OAUTH_TOKEN: 'Put it into a file of mode 0600 and name that: `takt setting set model.key_file FILE`.',
  GH_TOKEN: '`gh auth login` keeps it for gh, `gh auth setup-git` for git.',
  GITHUB_TOKEN: '`gh auth login` keeps it for gh, `gh auth setup-git` for git.',
  GH_ENTERPRISE_TOKEN: '`gh auth login --hostname HOST` keeps it for gh.',
  GITHUB_ENTERPRISE_TOKEN: '`gh auth login --hostname HOST` keeps it for gh.',
};
const OTHER_SECRET = 'Name it in a file of mode 0600, and that as EnvironmentFile= by `systemctl --user edit UNIT`.';

/** Where the shell is, and folders that go away with the session or the machine. */
interface ShellPlaces {
  /** What relative paths begin at; undefined if it is gone. */
  readonly currentFolder: string | undefined;
  /** Absolute paths, such as `/tmp` and `/run/user/1000`. */
  readonly folders: readonly string[];
  /** Where a link leads in the end; undefined if to nothing. */
  readonly realPath: (path: string) => string | undefined;
}

/**
 * Picks what the unit gets of the shell's variables, and names what somebody may miss there: secrets, and what goes away
 * with this session. Secrets never get into a unit, since it is a file that people show to each other.
 */
export function shellEnvironment(
  shell: Readonly<Record<string, string | undefined>>,
  places: ShellPlaces,
): { environment: Record<string, string>; left: LeftVariable[] } {
  const environment: Record<string, string> = {};
  const left: LeftVariable[] = [];
  for (const [name, value = ''] of Object.entries(shell).toSorted(byName)) {
    if (value === '' || !(isWanted(name) || Object.hasOwn(SECRETS, name))) continue;
    const kept = name === 'PATH' ? lastingPath(value, places) : absolutePaths(name, value, places);
    const reason = reasonAgainst(name, kept, places);
    if (reason === undefined) environment[name] = kept;
    else left.push({ name, ...reason });
  }
  return { environment, left };
}

const byName = ([one]: [string, unknown], [other]: [string, unknown]): number => (one < other ? -1 : 1);

function isWanted(name: string): boolean {
  return WANTED.includes(name) || PROXY.test(name) || WANTED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

const isAddress = (name: string): boolean => PROXY.test(name) || name.endsWith('_URL');

function reasonAgainst(name: string, value: string, places: ShellPlaces): Omit<LeftVariable, 'name'> | undefined {
  if (Object.hasOwn(SECRETS, name) || looksSecret(name, value))
    return { why: 'a secret', advice: SECRETS[name] ?? OTHER_SECRET };
  // oxlint-disable-next-line no-control-regex -- systemd takes no control characters there
  if (/[\u0000-\u001f\u007f]/.test(value) || value.length > 8000)
    return {
      why: 'systemd does not take its value',
      advice: '`takt setting set environment.NAME VALUE` gives it all the same.',
    };
  if (name.endsWith('_COMMAND') && !PLAIN_SSH.test(value))
    return {
      why: 'it is more than a program with plain options of ssh, and may hold a secret',
      advice: 'Put it into a script, and name that; or use ~/.ssh/config.',
    };
  if (/:\/\/.*[?#]/.test(value) || (isAddress(name) && /[?#]/.test(value)))
    return { why: 'its address may hold a secret after the path', advice: OTHER_SECRET };
  if (name === 'PATH' && value === '')
    return {
      why: 'none of its folders stays after this session',
      advice: 'Install from a shell that has the PATH which the service is to have.',
    };
  if ((FILES.includes(name) || name.startsWith('XDG_')) && !isAbsoluteEach(name, value))
    return {
      // The XDG base directory specification wants such a one to be ignored; the current folder may be gone.
      why: `${value} is no absolute path`,
      advice: 'Name it from the root on, and install again.',
    };
  if (name === 'SSH_AUTH_SOCK' && !isLasting(value, places))
    return {
      why: `${value} goes away with this session`,
      advice: 'Give the agent a fixed place (`ssh-agent -a ~/.ssh/agent.sock`), or name a key in ~/.ssh/config.',
    };
  return undefined;
}

const pathsIn = (name: string, value: string): string[] => (LISTS.includes(name) ? value.split(':') : [value]);

const isAbsoluteEach = (name: string, value: string): boolean =>
  pathsIn(name, value).every((path) => path === '' || path.startsWith('/'));

/** The service and its git work in other folders than the shell, so that a relative path would lead elsewhere. */
function absolutePaths(name: string, value: string, { currentFolder }: ShellPlaces): string {
  const isProgramFile = PROGRAMS.includes(name) && value.includes('/') && !value.includes(' ');
  if (currentFolder === undefined || !(FILES.includes(name) || isProgramFile)) return value;
  return pathsIn(name, value)
    .map((path) => (path === '' ? path : resolve(currentFolder, path)))
    .join(':');
}

/**
 * A socket that the next session has too: desktops and gpg-agent use fixed names in the runtime folder; what ssh,
 * editors and older agents make up for one session has a number in its name, or lies among temporary files.
 */
function isLasting(socket: string, { folders }: ShellPlaces): boolean {
  const isTemporary = folders.some((folder) => socket.startsWith(`${folder}/`)) && !socket.startsWith('/run/user/');
  return (
    socket.startsWith('/') &&
    !isTemporary &&
    !/\d{4,}|\/\.ssh\/agent\/|\/ssh-[A-Za-z0-9]{6,}\//.test(afterRuntime(socket))
  );
}

/** Without `/run/user/1000`, whose number stays. */
const afterRuntime = (path: string): string => path.replace(/^\/run\/user\/\d+/, '');

/** A PATH without places that go away; a link there, as version managers make one per shell, becomes where it leads. */
function lastingPath(path: string, { folders, realPath }: ShellPlaces): string {
  const isShort = (folder: string): boolean => folders.some((short) => folder.startsWith(`${short}/`));
  const lasting = path.split(':').flatMap((folder) => {
    if (!folder.startsWith('/')) return [];
    const real = isShort(folder) ? realPath(folder) : folder;
    return real === undefined || isShort(real) ? [] : [real];
  });
  return [...new Set(lasting)].join(':');
}
