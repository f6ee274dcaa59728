import { isMap, isSeq, parseDocument, type YAMLSeq } from 'yaml';
import type { RepoConfig } from '../contract/repo.ts';
import { editFile } from './edit-file.ts';
import { readReposFile, REPOS_FILE } from './repos-file.ts';

/** Appends a repo to `config/repos.yaml`; comments stay. Fault CONFIG_INVALID if the file would not be right afterwards. */
export async function addRepoEntry(file: string, repo: RepoConfig): Promise<void> {
  await editRepos(file, (list, document) => list.add(document.createNode(written(repo))));
}

/** Takes a repo out of `config/repos.yaml`, and out of what others depend on; fine if it is not there. */
export async function removeRepoEntry(file: string, name: string): Promise<void> {
  await editRepos(file, (list) => {
    list.items = list.items.filter((item) => !isMap(item) || item.get('name') !== name);
    for (const item of list.items) {
      const needs = isMap(item) ? item.get('depends_on') : undefined;
      if (!isMap(item) || !isSeq(needs)) continue;
      needs.items = needs.items.filter((need) => String((need as { value?: unknown }).value) !== name);
      if (needs.items.length === 0) item.delete('depends_on');
    }
  });
}

async function editRepos(file: string, change: (list: YAMLSeq, document: ReturnType<typeof parseDocument>) => void): Promise<void> {
  await editFile(file, {
    name: REPOS_FILE,
    change: (text) => {
      // Says what is wrong with the file as the user left it, before an edit could be blamed.
      readReposFile(text);
      const document = parseDocument(text);
      if (!isMap(document.contents)) document.contents = document.createNode({}) as unknown as typeof document.contents;
      if (!isSeq(document.get('repos'))) document.set('repos', document.createNode([]));
      const list = document.get('repos') as YAMLSeq;
      list.flow = false;
      change(list, document);
      if (list.items.length === 0) list.flow = true;
      const changed = document.toString({ lineWidth: 0 });
      readReposFile(changed);
      return changed;
    },
  });
}

/** The entry as a person would write it: what is empty is left out. */
function written(repo: RepoConfig): Record<string, unknown> {
  return Object.fromEntries(Object.entries(repo).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)));
}
