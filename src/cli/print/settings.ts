import type { ReplyOf } from '../../contract/operation.ts';
import type { settingList, settingSet, settingShow } from '../../contract/operations/guidance.ts';
import { cleanText } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import type { Printers } from './print-reply.ts';
import { renderTable } from './table.ts';

export const settingPrinters = {
  'setting.list': printList,
  'setting.show': (setting: ReplyOf<typeof settingShow>) => `${valueText(setting.value)}\n`,
  'setting.set': ({ key, value, isDefault }: ReplyOf<typeof settingSet>) =>
    `${key} is ${valueText(value)}${isDefault ? ', the default' : ''}.\n`,
} satisfies Printers;

function printList({ path, settings }: ReplyOf<typeof settingList>, page: Page): string {
  const columns = [
    { title: 'SETTING' },
    { title: 'VALUE', isElastic: true },
    { title: '' },
    { title: 'ABOUT', isElastic: true },
  ];
  const rows = settings.map(({ key, value, isDefault, about }) => [
    { text: key, paint: (style: Page['style']) => style.bold },
    valueText(value),
    { text: isDefault ? 'default' : 'set', paint: (style: Page['style']) => (isDefault ? style.dim : style.green) },
    about,
  ]);
  return `${renderTable(columns, rows, page)}\n${page.style.dim(path)}\n`;
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'not set';
  return typeof value === 'string' ? cleanText(value) : JSON.stringify(value);
}
