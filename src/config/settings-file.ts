import { Fault } from '../contract/faults.ts';
import { Settings } from '../contract/settings.ts';
import { parseYaml, readYaml, type YamlText } from './yaml-text.ts';

/** How messages name the file. */
export const SETTINGS_FILE = 'config/settings.yaml';

/** The settings in the text of `config/settings.yaml`, the defaults filled in. */
export function readSettingsFile(text: string): Settings {
  const yaml = readYaml(text, SETTINGS_FILE, 'CONFIG_INVALID');
  const settings = parseYaml(yaml, Settings, 'CONFIG_INVALID');
  refuseWrongVariables(yaml, settings);
  return settings;
}

/** As POSIX has them; others reach no shell. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The message never shows a value, since it may be a secret. */
function refuseWrongVariables(yaml: YamlText, { environment }: Settings): void {
  for (const [name, value] of Object.entries(environment)) {
    const wrong = !VARIABLE_NAME.test(name)
      ? 'is no name of a variable: letters, digits and underscore, not beginning with a digit'
      : name.startsWith('TAKT_')
        ? 'is a variable of takt’s own, which says what this file cannot'
        : value.includes('\0')
          ? 'has a value with a zero byte in it'
          : name === 'PATH' && value.trim() === ''
            ? 'is empty, so that no program would be found'
            : undefined;
    if (wrong !== undefined)
      throw new Fault('CONFIG_INVALID', `${yaml.placeOf(['environment', name], 'key')}: environment.${name} ${wrong}.`);
  }
}
