import type { Target } from "./target.ts";
import { arn } from "./targets/arn.ts";
import { bundle } from "./targets/bundle.ts";
import { checkRequest } from "./targets/check-request.ts";
import { config } from "./targets/config.ts";
import { documents } from "./targets/documents.ts";
import { glob } from "./targets/glob.ts";
import { keySet } from "./targets/key-set.ts";
import { mapper } from "./targets/mapper.ts";
import { path } from "./targets/path.ts";
import { policy } from "./targets/policy.ts";
import { scenario } from "./targets/scenario.ts";
import { token } from "./targets/token.ts";
import { values } from "./targets/values.ts";

/** Every target: one more is one file and one line. FUZ-06 (SigV4) comes with what it reads. */
export const targets: readonly Target[] = [
  policy,
  arn,
  glob,
  values,
  token,
  path,
  mapper,
  bundle,
  checkRequest,
  config,
  keySet,
  documents,
  scenario,
];
