export interface Person {
  readonly name: string;
  readonly email: string;
}

/** Who commits what takt commits; the author is the operator. */
export const COMMITTER: Person = { name: 'takt', email: 'takt@localhost' };
