import { type Dirent, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** Where programs and libraries lie beside /usr; on most systems these are links into it. */
const PROGRAM_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** What programs need of /etc to resolve names, to check certificates and to find libraries; nothing with secrets. */
const ETC_NAMES = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'fonts',
  'gai.conf',
  'host.conf',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'npmrc',
  'nsswitch.conf',
  'pki',
  'protocols',
  'resolv.conf',
  'services',
  'ssl',
  'timezone',
];
/** What git and a shell need of it; on Debian, `awk` is an alternative. */
const LOCAL_ETC_NAMES = ['alternatives', 'ld.so.cache', 'localtime'];
/** Debian keeps the configuration of each Java beside its version. */
const ETC_PREFIXES = ['java-'];

/**
 * Arguments of bubblewrap that show the system: programs, libraries and some files of /etc, all of it read-only. Each file
 * takes bubblewrap some time, so that `isLocal` leaves out what only the network and other programs need.
 */
export function systemBinds({ isLocal }: { isLocal: boolean }): string[] {
  return [
    '--ro-bind',
    '/usr',
    '/usr',
    ...PROGRAM_FOLDERS.flatMap(programFolder),
    ...readdirSync('/etc', { withFileTypes: true })
      .filter(({ name }) => (isLocal ? LOCAL_ETC_NAMES.includes(name) : isShown(name)))
      .flatMap(etcFile),
  ];
}

function programFolder(name: string): string[] {
  const path = join('/', name);
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return [];
  return facts.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

const isShown = (name: string): boolean =>
  ETC_NAMES.includes(name) || ETC_PREFIXES.some((prefix) => name.startsWith(prefix));

/** Some of these are links to places that are not visible inside, so that their content is bound in their stead. */
function etcFile(entry: Dirent): string[] {
  const path = join('/etc', entry.name);
  try {
    return ['--ro-bind', entry.isSymbolicLink() ? realpathSync(path) : path, path];
  } catch (error) {
    // A link that leads nowhere, such as /etc/resolv.conf without a resolver: outside it says nothing either.
    if (['ENOENT', 'EACCES', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
