import { parseDocument } from 'yaml';
import { readFileText } from '../../../config/edit-file.ts';
import { knownSetting, setSetting as writeSetting, settingKeys } from '../../../config/edit-settings.ts';
import { settingAbout } from '../../../config/setting-about.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { settingList, settingSet, settingShow } from '../../../contract/operations/guidance.ts';
import { shownValue } from '../../../contract/secret-look.ts';
import { commit, type ServiceParts } from '../../parts.ts';

type SettingParts = Pick<ServiceParts, 'config' | 'layout' | 'database' | 'bus'>;

export async function listSettings(parts: SettingParts): Promise<ReplyOf<typeof settingList>> {
  const file = await readFileText(parts.layout.settingsFile);
  return {
    path: parts.layout.settingsFile,
    hash: file.hash,
    settings: settingKeys().map((key) => valueOf(parts, key, file.text)),
  };
}

export async function showSetting(
  parts: SettingParts,
  { key }: ParamsOf<typeof settingShow>,
): Promise<ReplyOf<typeof settingShow>> {
  const file = await readFileText(parts.layout.settingsFile);
  return { ...valueOf(parts, knownSetting(key), file.text), hash: file.hash };
}

/** Changes one setting in the file, if that is still the one with the hash given. */
export async function setSetting(
  parts: SettingParts,
  { key, value, hash }: ParamsOf<typeof settingSet>,
): Promise<ReplyOf<typeof settingSet>> {
  await writeSetting(parts.layout.settingsFile, key, value, hash);
  commit(parts, [{ topic: 'config.update', data: { file: 'config/settings.yaml', key } }], () => undefined);
  return showSetting(parts, { key });
}

function valueOf({ config }: SettingParts, key: string, text: string): ReplyOf<typeof settingList>['settings'][number] {
  const path = key.split('.');
  const value = path.reduce<unknown>(
    (inner, part) => (inner as Record<string, unknown> | undefined)?.[part],
    config.settings(),
  );
  const about = settingAbout[key] ?? settingAbout[path[0]!] ?? '';
  return { key, value: shown(path, value ?? null), isDefault: !parseDocument(text).hasIn(path), about };
}

/** Agents and pages may read settings, so that of a variable which looks like a secret only the name is told. */
function shown([group, name]: string[], value: unknown): unknown {
  if (group !== 'environment' || value === null) return value;
  if (name !== undefined) return shownValue(name, value as string);
  return Object.fromEntries(
    Object.entries(value as Record<string, string>).map(([each, text]) => [each, shownValue(each, text)]),
  );
}
