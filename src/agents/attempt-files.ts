import { chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isThere } from '../platform/files.ts';

/** Small things that one session needs outside of the run; disposing removes them. */
export interface AttemptFiles extends AsyncDisposable {
  /** Empty, and not for the work to write; stands in for the settings that a branch carries. */
  readonly trustedFolder: string;
  /**
   * For the work to write, where walls do not bring a /tmp of their own. The path is short: Claude Code puts sockets
   * there, whose names have 107 bytes at most.
   */
  readonly temporaryFolder: string;
  /** One line, `NAME=value`, for a shell to read. */
  readonly keyFile: string;
}

/** Makes them in a folder of their own. `reader` is the user that the work runs as. */
export async function openAttemptFiles(
  key: { name: string; value: string },
  reader: { uid: number; gid: number },
): Promise<AttemptFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-agent-'));
  const files: AttemptFiles = {
    trustedFolder: join(folder, 'trusted'),
    temporaryFolder: join(folder, 'tmp'),
    keyFile: join(folder, 'key'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  try {
    await mkdir(files.trustedFolder);
    await mkdir(files.temporaryFolder);
    await writeFile(files.keyFile, `${key.name}=${key.value}\n`, { mode: 0o400 });
    if (reader.uid !== process.getuid?.()) await chown(files.keyFile, reader.uid, reader.gid);
    return files;
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * True if Claude Code has a session of this id in the agent's folder, so that it can be resumed and not begun again.
 */
export async function hasSession(agentFolder: string, sessionId: string): Promise<boolean> {
  const projects = join(agentFolder, '.claude', 'projects');
  let folders: string[];
  try {
    folders = await readdir(projects);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
  for (const folder of folders) {
    if (await isThere(join(projects, folder, `${sessionId}.jsonl`))) return true;
  }
  return false;
}
