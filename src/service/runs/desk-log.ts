/** The part of the service's log that the desk writes to. */
export interface DeskLog {
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
  error(facts: object, sentence: string): void;
}
