/**
 * What decides which questions are drawn: `MESH_IAM_SEED`, and of each seed the cases from
 * `MESH_IAM_FIRST` on, `MESH_IAM_CASES` of them. Case n of a seed is the same whatever came before.
 */
export const seed = readNumber("MESH_IAM_SEED", 1);
export const first = readNumber("MESH_IAM_FIRST", 0);

/** Returns the number of cases: the environment's, else `standard`. */
export function caseCount(standard: number): number {
  return readNumber("MESH_IAM_CASES", standard);
}

/** Returns the command that runs case `index` of this seed alone. */
export function reproduce(index: number, file: string): string {
  const settings = `MESH_IAM_SEED=${seed} MESH_IAM_FIRST=${index} MESH_IAM_CASES=1`;
  return `${settings} npm run test:unit -- test/property/${file}`;
}

function readNumber(name: string, standard: number): number {
  const text = process.env[name] ?? String(standard);
  if (!/^[0-9]{1,9}$/.test(text))
    throw new Error(`expected a whole number in ${name}, got ${text}`);
  return Number(text);
}
