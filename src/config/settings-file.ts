import { Settings } from '../contract/settings.ts';
import { parseYaml, readYaml } from './yaml-text.ts';

/** How messages name the file. */
export const SETTINGS_FILE = 'config/settings.yaml';

/** The settings in the text of `config/settings.yaml`, the defaults filled in. */
export function readSettingsFile(text: string): Settings {
  return parseYaml(readYaml(text, SETTINGS_FILE, 'CONFIG_INVALID'), Settings, 'CONFIG_INVALID');
}
