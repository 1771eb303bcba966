/** The slice that an identity may receive, and no other (BUN-15). */
export interface Scope {
  readonly org: string;
  readonly slice: string;
}
