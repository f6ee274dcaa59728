import type { ReplyOf } from '../../contract/operation.ts';
import type { contextList, Role, roleList, templateList, TextFile } from '../../contract/operations/guidance.ts';
import { cleanText } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { byteSize } from './figures.ts';
import type { Printers } from './print-reply.ts';
import { renderTable } from './table.ts';

const bold = (style: Page['style']) => style.bold;

/**
 * What is shown of a text is the text alone, so that it can be written into a file; `--json` adds path and hash. On a
 * terminal it comes without what would steer that: an agent may have written it.
 */
const shown = (text: string, { width }: Page): string => withEnd(width === null ? text : cleanText(text));
const text = (file: TextFile, page: Page): string => shown(file.text, page);
const changed = (file: TextFile): string => `Changed ${file.path}.\n`;

export const guidancePrinters = {
  'context.list': printPackets,
  'context.show': text,
  'template.list': printTemplates,
  'template.show': text,
  'template.set': changed,
  'role.list': printRoles,
  'role.show': (role: Role, page: Page) => shown(role.prompt, page),
  'role.set': (role: Role) => `Changed the role ${role.name}.\n`,
  'guidance.show': text,
  'guidance.set': changed,
} satisfies Printers;

function printPackets({ packets }: ReplyOf<typeof contextList>, page: Page): string {
  if (packets.length === 0) return 'No context packets yet. A Markdown file in the home’s folder `context/` is one.\n';
  const columns = [{ title: 'NAME' }, { title: 'REPO' }, { title: 'SIZE' }, { title: 'PURPOSE', isElastic: true }];
  return renderTable(
    columns,
    packets.map(({ name, repo, bytes, purpose }) => [
      { text: name, paint: bold },
      repo ?? 'all',
      byteSize(bytes),
      purpose,
    ]),
    page,
  );
}

function printTemplates({ templates }: ReplyOf<typeof templateList>, page: Page): string {
  if (templates.length === 0) return 'No templates. `takt init` writes those that are shipped.\n';
  const columns = [{ title: 'NAME' }, { title: 'PURPOSE', isElastic: true }];
  return renderTable(
    columns,
    templates.map(({ name, purpose }) => [{ text: name, paint: bold }, purpose]),
    page,
  );
}

function printRoles({ roles }: ReplyOf<typeof roleList>, page: Page): string {
  if (roles.length === 0) return 'No roles. `takt role set NAME --file PROMPT.md --hash none` adds one.\n';
  const columns = [{ title: 'ROLE' }, { title: 'PURPOSE', isElastic: true }];
  return renderTable(
    columns,
    roles.map(({ name, purpose }) => [{ text: name, paint: bold }, purpose]),
    page,
  );
}

const withEnd = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
