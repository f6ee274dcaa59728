import { readFileSync, statSync } from 'node:fs';
import { Fault } from '../contract/faults.ts';
import type { RepoConfig } from '../contract/repo.ts';
import type { Settings } from '../contract/settings.ts';
import type { HomeLayout } from '../platform/home-layout.ts';
import { didYouMean } from './did-you-mean.ts';
import { readReposFile } from './repos-file.ts';
import { readSettingsFile } from './settings-file.ts';

/**
 * The configuration as the files say it now. Each call looks whether the file changed, and reads it again if so; what
 * is wrong in a file is a Fault CONFIG_INVALID with its place. A missing file means that it is empty.
 */
export interface ConfigSource {
  repos(): RepoConfig[];
  /** The repo of that name, or Fault REPO_NOT_FOUND. */
  repo(name: string): RepoConfig;
  settings(): Settings;
  /** The text of `templates/pipeline_roles.md`; empty if there is none. */
  rolesText(): string;
}

export function openConfig(layout: HomeLayout): ConfigSource {
  const repos = watchedFile(layout.reposFile, readReposFile);
  const settings = watchedFile(layout.settingsFile, readSettingsFile);
  const rolesText = watchedFile(layout.rolesFile, (text) => text);
  return {
    repos,
    repo(name) {
      const all = repos();
      const found = all.find((repo) => repo.name === name);
      if (found !== undefined) return found;
      throw new Fault(
        'REPO_NOT_FOUND',
        `No repo is called ${name}.${didYouMean(
          name,
          all.map((repo) => repo.name),
        )}`,
      );
    },
    settings,
    rolesText,
  };
}

/** Reads a file when it is not the one that was read last, by its times, size and inode. */
function watchedFile<Value>(path: string, parse: (text: string) => Value): () => Value {
  let known: { stamp: string; value: Value } | undefined;
  return () => {
    const stamp = stampOf(path);
    if (known?.stamp === stamp) return known.value;
    const value = parse(stamp === 'none' ? '' : readFileSync(path, 'utf8'));
    known = { stamp, value };
    return value;
  };
}

function stampOf(path: string): string {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? 'none' : `${facts.ino} ${facts.size} ${facts.mtimeNs} ${facts.ctimeNs}`;
}
