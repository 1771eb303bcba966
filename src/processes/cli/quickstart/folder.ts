import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { MeshIamError } from "../../../iam/error.ts";
import { quote } from "../../../iam/problem.ts";
import { whyUnreadable } from "../files.ts";

/** Says that a folder is a quickstart's, and which process runs in it; empty once that has ended. */
const marker = ".quickstart";

/**
 * Makes `folder` anew, readable by its owner alone. Only what a quickstart made is ever removed.
 *
 * Throws `quickstart-failed` when the folder holds something else, when another quickstart runs in it,
 * and when it cannot be written.
 */
export function claimFolder(folder: string): void {
  writing(folder, () => {
    if (existsSync(folder) && readdirSync(folder).length > 0) {
      refuseForeign(folder);
      rmSync(folder, { recursive: true });
    }
    mkdirSync(folder, { recursive: true });
    // one that was there, empty, keeps the mode it was made with
    chmodSync(folder, 0o700);
    writeFileSync(join(folder, marker), String(process.pid));
  });
}

/** Tells that nothing runs in `folder` any more. What is in it stays, to be looked at. */
export function releaseFolder(folder: string): void {
  // Somebody may have removed it meanwhile, and that is as good.
  if (existsSync(folder)) writeFileSync(join(folder, marker), "");
}

/** Returns what `write` returns; a failure of the disk becomes `quickstart-failed` about `folder`. */
export function writing<T>(folder: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    if (cause instanceof MeshIamError) throw cause;
    throw new MeshIamError(
      "quickstart-failed",
      `cannot write ${quote(folder)}: ${whyUnreadable(cause)}; another place: --folder`,
      { cause },
    );
  }
}

function refuseForeign(folder: string): void {
  const path = join(folder, marker);
  if (!existsSync(path)) {
    throw new MeshIamError(
      "quickstart-failed",
      `${quote(folder)} holds something else: expected --folder to be new, empty or a former quickstart's`,
    );
  }
  const owner = Number(readFileSync(path, "utf8"));
  if (owner > 0 && owner !== process.pid && isAlive(owner)) {
    throw new MeshIamError(
      "quickstart-failed",
      `process ${owner} runs a quickstart in ${quote(folder)}: end it, or choose another --folder`,
    );
  }
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (cause) {
    // Of another user: alive all the same.
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
