import { dirname } from 'node:path';
import type { Walls } from './walls.ts';
import { systemBinds } from './system-files.ts';

/** A mount of a file or folder at its own path, or somewhere else. */
export interface Bind {
  readonly from: string;
  readonly to: string;
  readonly isWritable: boolean;
}

/**
 * Started as root, bubblewrap mounts as root and the work drops inside: so a home below a folder that only root may
 * enter can be shown, and process 1 inside, which is bubblewrap, can neither be read nor traced by the work. What it keeps is for that drop, and to
 * enter a working folder that is the work's alone.
 */
const MAY_DROP = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_DAC_READ_SEARCH'].flatMap((name) => [
  '--cap-add',
  name,
]);

/** Arguments that make new namespaces of every kind but the network's, and take all capabilities away. */
export function namespaceArguments(isRoot: boolean): string[] {
  return [
    ...(isRoot ? [] : ['--unshare-user']),
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    ...(isRoot ? MAY_DROP : []),
  ];
}

/** Arguments that show the system and nothing of anybody: what `--bind` is given afterwards comes on top. */
export function systemArguments({ isLocal = false } = {}): string[] {
  const writableFolders = ['/tmp', '/var/tmp', '/dev/shm'].flatMap((folder) => ['--perms', '1777', '--tmpfs', folder]);
  return [
    '--dir',
    '/etc',
    ...systemBinds({ isLocal }),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    ...writableFolders,
    '--tmpfs',
    '/run',
    '--tmpfs',
    '/home',
  ];
}

/**
 * Arguments for mounts; a folder comes before what lies below it. The folders above them are made first: bubblewrap
 * itself would make them as closed as the file that it binds there, so that only root could pass.
 */
export function bindArguments(binds: readonly Bind[]): string[] {
  const unique = [...new Map(binds.map((bind) => [bind.to, bind])).values()];
  const above = new Set(unique.flatMap(({ to }) => foldersAbove(to)));
  return [
    ...shortestFirst([...above], (folder) => folder).flatMap((folder) => ['--dir', folder]),
    ...shortestFirst(unique, ({ to }) => to).flatMap(({ from, to, isWritable }) => [
      isWritable ? '--bind' : '--ro-bind',
      from,
      to,
    ]),
  ];
}

function shortestFirst<Item>(items: readonly Item[], pathOf: (item: Item) => string): Item[] {
  return items.toSorted((a, b) => pathOf(a).length - pathOf(b).length);
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === '/' ? [] : [...foldersAbove(folder), folder];
}

/** What stands before the command inside, so that it runs as a user who owns nothing else. */
export function dropCommand(isRoot: boolean, setpriv: string, user: Walls['user']): string[] {
  if (!isRoot) return [];
  const ids = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
  return [setpriv, ...ids, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'];
}
