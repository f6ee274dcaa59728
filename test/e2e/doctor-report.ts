/** What `takt doctor --json` prints. */
export interface Report {
  readonly isWorking: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly state: 'ok' | 'warning' | 'broken' | 'absent';
    readonly found: string;
    readonly fix: string;
    readonly isFixable: boolean;
    readonly fixed?: string;
  }[];
}
