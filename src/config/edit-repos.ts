import { isMap, isSeq, parseDocument, type YAMLSeq } from 'yaml';
import { Fault } from '../contract/faults.ts';
import type { RepoConfig } from '../contract/repo.ts';
import { editFile, PRIVATE_MODE, readFileText } from './edit-file.ts';
import { readReposFile, REPOS_FILE } from './repos-file.ts';

/**
 * Appends a repo to `config/repos.yaml`; comments stay. Faults: CONFIG_INVALID, and INPUT_INVALID if the entry is
 * wrong.
 */
export async function addRepoEntry(file: string, repo: RepoConfig): Promise<void> {
  await editFile(file, { name: REPOS_FILE, mode: PRIVATE_MODE, change: (text) => withEntry(text, repo) });
}

/** Refuses an entry that could not be added, before anything is done for it. */
export async function checkRepoEntry(file: string, repo: RepoConfig): Promise<void> {
  withEntry((await readFileText(file)).text, repo);
}

function withEntry(text: string, repo: RepoConfig): string {
  const changed = editedText(text, (list, document) => list.add(document.createNode(written(repo))));
  try {
    readReposFile(changed);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // The file was right before, so what is wrong is the entry, and its place is nowhere yet.
    throw new Fault('INPUT_INVALID', error.message.replace(/^\S+: /, ''), { hint: error.hint, cause: error });
  }
  return changed;
}

/** Takes a repo out of `config/repos.yaml`, and out of what others depend on; fine if it is not there. */
export async function removeRepoEntry(file: string, name: string): Promise<void> {
  const change = (text: string): string =>
    editedText(text, (list) => {
      list.items = list.items.filter((item) => !isMap(item) || item.get('name') !== name);
      for (const item of list.items) {
        const needs = isMap(item) ? item.get('depends_on') : undefined;
        if (!isMap(item) || !isSeq(needs)) continue;
        needs.items = needs.items.filter((need) => String((need as { value?: unknown }).value) !== name);
        if (needs.items.length === 0) item.delete('depends_on');
      }
    });
  await editFile(file, { name: REPOS_FILE, mode: PRIVATE_MODE, change });
}

function editedText(text: string, change: (list: YAMLSeq, document: ReturnType<typeof parseDocument>) => void): string {
  // Says what is wrong with the file as the user left it, before an edit could be blamed.
  readReposFile(text);
  const document = parseDocument(text);
  if (!isMap(document.contents)) document.contents = document.createNode({}) as unknown as typeof document.contents;
  if (!isSeq(document.get('repos'))) document.set('repos', document.createNode([]));
  const list = document.get('repos') as YAMLSeq;
  list.flow = false;
  change(list, document);
  if (list.items.length === 0) list.flow = true;
  return document.toString({ lineWidth: 0 });
}

/** The entry as a person would write it: what is empty is left out. */
function written(repo: RepoConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(repo).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}
