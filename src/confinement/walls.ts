import type { ConfinementUsed } from '../contract/run.ts';

/** What a command inside the walls gets beside what all of an attempt's commands get. */
export interface WallsExtra {
  /** On top of what the walls give (PATH, HOME, TMPDIR, LANG, …). Other users can read it as arguments: no secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute; has to be visible inside. */
  readonly cwd: string;
  /** Further files and folders, at their own absolute paths. Those bound writable have to belong to `user`. */
  readonly writable?: readonly string[];
  readonly readable?: readonly string[];
  /** Needs git and a shell, and nothing of the network: less of the system is shown. */
  readonly isLocal?: boolean;
  /** Descriptor on which bubblewrap reports `{"exit-code":N}`, which it does only if the command itself was started. */
  readonly statusFd?: number;
}

/** How to start a command inside: give these to `spawn` as they are. `env` is bubblewrap's own, and is empty there. */
export interface WalledCommand {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
}

/**
 * The walls around the work of one attempt; each `wrap` makes a fresh confinement with the same view.
 *
 * Inside, the run's folder and the agent's folder lie at their own paths. Ending the process that `spawn` gives ends
 * all that was started inside; without bubblewrap it ends that process only.
 */
export interface Walls {
  readonly used: ConfinementUsed;
  /** Who the work is. Files that the host makes for the work have to belong to it. */
  readonly user: { readonly uid: number; readonly gid: number };
  wrap(command: readonly string[], extra: WallsExtra): WalledCommand;
}
