import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { RepoConfig } from '../contract/repo.ts';
import type { Settings } from '../contract/settings.ts';
import type { HomeLayout } from '../platform/home-layout.ts';
import { didYouMean } from './did-you-mean.ts';
import { readReposFile } from './repos-file.ts';
import { readSettingsFile } from './settings-file.ts';

/**
 * The configuration as the files say it now. Each call looks whether the file changed, and reads it again if so; what
 * is wrong in a file is a Fault CONFIG_INVALID with its place, and so is what is no file. A missing file means that it is empty.
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
  const repos = watchedFile(layout, layout.reposFile, readReposFile);
  const settings = watchedFile(layout, layout.settingsFile, readSettingsFile);
  const rolesText = watchedFile(layout, layout.rolesFile, (text) => text);
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
function watchedFile<Value>({ home }: HomeLayout, path: string, parse: (text: string) => Value): () => Value {
  const name = relative(home, path);
  let known: { stamp: string; value: Value } | undefined;
  return () => {
    const stamp = stampOf(path);
    if (known?.stamp === stamp) return known.value;
    const value = parse(stamp === 'none' ? '' : textOf(path, name));
    known = { stamp, value };
    return value;
  };
}

function stampOf(path: string): string {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? 'none' : `${facts.ino} ${facts.size} ${facts.mtimeNs} ${facts.ctimeNs}`;
}

/** A pipe would let the reader wait for ever, and everybody else with it; opened so, it does not even open slowly. */
function textOf(path: string, name: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile())
      throw new Fault('CONFIG_INVALID', `${name} is no regular file.`, { hint: 'Put a file of text in its place.' });
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}
