import { isMap, parse, parseDocument, YAMLError } from 'yaml';
import { Fault } from '../contract/faults.ts';
import { Settings } from '../contract/settings.ts';
import { didYouMean } from './did-you-mean.ts';
import { editFile, type FileText, PRIVATE_MODE } from './edit-file.ts';
import { keysAt } from './schema-shape.ts';
import { readSettingsFile, SETTINGS_FILE, VARIABLE_NAME } from './settings-file.ts';

/** Every setting by its dotted key, such as `model.default`; the order is that of the contract. */
export function settingKeys(): string[] {
  return keysAt(Settings, []).flatMap((key) => {
    const below = keysAt(Settings, [key]);
    // An author is one thing of two parts: half of it could never be written.
    return below.length === 0 || key === 'author' ? [key] : below.map((inner) => `${key}.${inner}`);
  });
}

/** The key as it is written, or Fault INPUT_INVALID with the nearest right one. */
export function knownSetting(key: string): string {
  const known = settingKeys();
  if (known.includes(key) || isVariable(key)) return key;
  throw new Fault('INPUT_INVALID', `No setting is called ${key}.${didYouMean(key, known)}`, {
    hint: '`takt setting list` shows the settings.',
  });
}

/** `environment.NAME` is one variable of that setting. */
function isVariable(key: string): boolean {
  const [group, name = '', ...rest] = key.split('.');
  return group === 'environment' && VARIABLE_NAME.test(name) && rest.length === 0;
}

/** Writes one setting, given as YAML; `default` takes it out of the file. Comments stay. */
export async function setSetting(
  file: string,
  key: string,
  value: string,
  expectedHash: string | undefined,
): Promise<FileText> {
  const path = knownSetting(key).split('.');
  const parsed = value.trim() === 'default' ? undefined : parseValue(key, value);
  return editFile(file, {
    name: SETTINGS_FILE,
    expectedHash,
    mode: PRIVATE_MODE,
    change: (text) => {
      readSettingsFile(text);
      const document = parseDocument(text);
      if (!isMap(document.contents)) document.contents = document.createNode({}) as unknown as typeof document.contents;
      if (parsed === undefined) {
        document.deleteIn(path);
        const above = path.slice(0, -1);
        const rest = above.length === 0 ? undefined : document.getIn(above);
        if (isMap(rest) && rest.items.length === 0) document.deleteIn(above);
      } else {
        document.setIn(path, parsed);
      }
      const changed =
        isMap(document.contents) && document.contents.items.length === 0
          ? commentsOf(text)
          : document.toString({ lineWidth: 0 });
      refuseWrongValue(key, changed);
      return changed;
    },
  });
}

function parseValue(key: string, value: string): unknown {
  try {
    const parsed: unknown = parse(value);
    // A variable is text, whatever YAML would take it for; quotes around it are YAML's all the same.
    return isVariable(key) && typeof parsed !== 'string' ? value : parsed;
  } catch (error) {
    if (error instanceof YAMLError && isVariable(key)) return value;
    if (error instanceof YAMLError)
      throw new Fault('INPUT_INVALID', `The value of ${key} is not YAML.`, { detail: error.message, cause: error });
    throw error;
  }
}

/** The file was right before, so what is wrong now is the value. */
function refuseWrongValue(key: string, text: string): void {
  try {
    readSettingsFile(text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('INPUT_INVALID', error.message.replace(/^\S+: /, ''), {
      hint: `\`takt setting show ${key}\` says what it means.`,
      cause: error,
    });
  }
}

function commentsOf(text: string): string {
  const lines = text.split('\n').filter((line) => line.trimStart().startsWith('#') || line.trim() === '');
  return `${lines.join('\n').trimEnd()}\n`;
}
