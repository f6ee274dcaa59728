import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Walls } from './walls.ts';

/** The user and group that confined work has when takt itself is root; it owns nothing but runs. */
const DROPPED_ID = 60_001;
/** Leads to the agent's folder, for programs that take a home from /etc/passwd and not from HOME. */
export const WORK_HOME = '/run/takt-home';

/** Who confined work is: a user of its own if takt runs as root, else takt's own user. */
export function workUser(): Walls['user'] {
  const uid = process.getuid?.() ?? DROPPED_ID;
  return uid === 0 ? { uid: DROPPED_ID, gid: DROPPED_ID } : { uid, gid: process.getgid?.() ?? uid };
}

/**
 * Files that stand in for /etc/passwd and /etc/group: some programs end if their own user has no entry, and
 * the names of this machine's users are nobody's business inside. Written once into `folder`.
 */
export function accountFiles(folder: string): { passwd: string; group: string } {
  const { uid, gid } = workUser();
  const users = [
    `root:x:0:0:root:/root:/usr/sbin/nologin`,
    `nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin`,
  ];
  const passwd = uid === 65_534 ? users : [...users, `takt:x:${uid}:${gid}:takt:${WORK_HOME}:/bin/sh`];
  const groups = ['root:x:0:', 'nogroup:x:65534:', ...(gid === 65_534 ? [] : [`takt:x:${gid}:`])];
  return { passwd: written(folder, `passwd-${uid}`, passwd), group: written(folder, `group-${gid}`, groups) };
}

/** Several attempts may do this at once; each puts a whole file in place. */
function written(folder: string, name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${lines.join('\n')}\n`, { mode: 0o644 });
  renameSync(temporary, file);
  return file;
}
