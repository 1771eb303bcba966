import { renewHead, sealHeadOf } from "../../domain/bundle/build.ts";
import type { Signer } from "../../domain/bundle/ed25519.ts";
import type { Head } from "../../domain/bundle/head.ts";
import { encodeKeySet } from "../../domain/bundle/key-set.ts";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { sealKeySet } from "../../domain/bundle/signed.ts";
import type { DocumentOptionsInput } from "../../domain/directory/document-options.ts";
import {
  type DocumentProblem,
  formatDocumentProblem,
} from "../../domain/directory/document-problem.ts";
import type { Directory } from "../../domain/directory/model.ts";
import { MeshIamError } from "../../iam/error.ts";
import { Breather } from "./breather.ts";
import { buildDocuments } from "./build-documents.ts";
import type { Clock, Timer } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { readDocumentFolder, walkDocuments } from "./document-folder.ts";
import {
  defaultFolderWatchOptions,
  FolderWatch,
  type FolderWatchOptions,
  type Sight,
} from "./folder-watch.ts";
import { BundleFollower } from "./follower.ts";
import type { BundleListener, BundleSource, SourceStatus } from "./source.ts";

export interface DocumentsSourceOptions {
  readonly folder: string;
  /** `{account}/{name}` of the services fronted; null: all of the documents. */
  readonly services: readonly string[] | null;
  /** Partition, quotas and limits of the reader. */
  readonly documents?: DocumentOptionsInput;
  /** Default 30; a good part of `validForSeconds`. */
  readonly headRenewSeconds?: number;
  /** Default 3600. */
  readonly validForSeconds?: number;
  readonly limits?: BundleLimits;
  readonly watch?: Partial<FolderWatchOptions>;
}

/** A bundle that was built of the documents, and how to offer it again. */
interface Built {
  readonly head: Head;
  readonly objects: ReadonlyMap<string, Uint8Array>;
}

/**
 * Returns the source that follows a folder of documents (`documents: PATH`, control-plane 2.4, 4):
 * reads, builds and signs in this process, with keys from `newKey` that never leave it, and goes
 * through the same verification as any other. Trust is the permission of the files; nothing is kept.
 *
 * A change is live well under a second. `start` throws `document-invalid` with every problem of the
 * documents, `document-unreadable`, or `config-invalid` for a service that they do not have; documents that become invalid later are refused, and the last
 * good ones stay in force.
 */
export function createDocumentsSource(
  options: DocumentsSourceOptions,
  disk: Disk,
  clock: Clock,
  newKey: () => Signer,
): BundleSource {
  return new DocumentsSource(options, disk, clock, newKey);
}

// A head signed here by a key made here: there is nothing that an expiry would guard against.
const keySetForMs = 100 * 365 * 86_400_000;
// A folder that changes while it is read is read again, but not for ever.
const maxReads = 5;
const maxLines = 100;

class DocumentsSource implements BundleSource {
  readonly #options: DocumentsSourceOptions;
  readonly #limits: BundleLimits;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #root: Signer;
  readonly #signer: Signer;
  readonly #follower: BundleFollower;
  readonly #watch: FolderWatch;
  #built: Built | null = null;
  #findings: readonly DocumentProblem[] = [];
  #dependencies: readonly string[] = [];
  /** Of the folder as it was before it was last read. */
  #fingerprint = "";
  #working: Promise<unknown> = Promise.resolve();
  #renewal: Timer | null = null;
  #closed = false;

  constructor(options: DocumentsSourceOptions, disk: Disk, clock: Clock, newKey: () => Signer) {
    this.#options = options;
    this.#limits = options.limits ?? defaultBundleLimits;
    this.#disk = disk;
    this.#clock = clock;
    this.#root = newKey();
    this.#signer = newKey();
    this.#follower = new BundleFollower(
      {
        anchors: { rootFingerprints: [this.#root.keyId], org: null },
        slice: null,
        acceptStale: false,
        limits: this.#limits,
        source: "documents",
        address: options.folder,
      },
      clock,
    );
    this.#watch = new FolderWatch(
      disk,
      clock,
      { ...defaultFolderWatchOptions, ...options.watch },
      () => this.#look(),
      () => this.#pull(),
    );
  }

  async start(listener: BundleListener): Promise<void> {
    await this.#follower.start(listener, null);
    if (!(await this.#offer(await this.#read()))) {
      const refusal = this.#follower.status().lastRefusal;
      throw new MeshIamError(refusal?.code ?? "internal", refusal?.detail ?? "not activated");
    }
    await this.#watch.start(this.#fingerprint);
    this.#renewLater();
  }

  status(): SourceStatus {
    return { ...this.#follower.status(), connected: null, findings: this.#findings };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#renewal?.cancel();
    await this.#watch.close();
    await this.#working;
    await this.#follower.close();
  }

  async #look(): Promise<Sight> {
    const { folder } = this.#options;
    const walk = await walkDocuments(this.#disk, folder);
    const named = await Promise.all(
      this.#dependencies.map((path) =>
        this.#disk.facts(`${folder}/${path}`).catch(() => ({ path, absent: true })),
      ),
    );
    const fingerprint = JSON.stringify([walk.files, walk.problems, named]);
    return { fingerprint, folders: walk.folders };
  }

  /** Runs `work` when what was begun before is done: a renewal never overtakes a change. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#working.then(work);
    this.#working = turn.catch(() => {});
    return turn;
  }

  #pull(): Promise<boolean> {
    return this.#inTurn(async () => {
      try {
        return await this.#offer(await this.#read());
      } catch (error) {
        const { code, message } = MeshIamError.from(error);
        const result = code === "document-unreadable" ? "network" : "parse";
        this.#follower.refuse(code, result, firstLines(message));
        return false;
      }
    });
  }

  /** Returns what the documents say; throws `document-invalid` with every problem, a line each. */
  async #read(): Promise<Directory> {
    const { folder, documents } = this.#options;
    const look = () =>
      this.#look()
        .then(({ fingerprint }) => fingerprint)
        .catch(() => "");
    let before = await look();
    for (let reads = 1; ; reads++) {
      const breather = new Breather(this.#clock);
      const loaded = await readDocumentFolder(this.#disk, folder, documents, undefined, (steps) =>
        breather.finish(steps),
      );
      this.#dependencies = loaded.dependencies;
      const after = await look();
      if (after !== before && reads < maxReads) {
        before = after;
        continue;
      }
      this.#fingerprint = before;
      if (!loaded.ok) {
        const lines = loaded.problems.map(formatDocumentProblem);
        throw new MeshIamError("document-invalid", lines.join("\n"));
      }
      this.#findings = loaded.findings;
      return loaded.value;
    }
  }

  /** Builds, signs and offers `whole`; true when it is in force, or was already. */
  async #offer(whole: Directory): Promise<boolean> {
    const issuedAtMs = this.#issuedAtMs();
    const previous = this.#built;
    const revision = Math.max((previous?.head.revision ?? 0) + 1, Math.floor(issuedAtMs / 1000));
    const built = buildDocuments(whole, this.#options.services, "services", {
      revision,
      issuedAtMs,
      validForMs: this.#validForMs(),
      signer: this.#signer,
      limits: this.#limits,
      frames: previous?.objects ?? new Map(),
    });
    if (!built.ok) throw new MeshIamError(built.code, built.message);
    const { head, sealedHead, objects } = built.value;
    // Nothing is new, which ends a refusal of what was there in between.
    if (previous?.head.manifestDigest === head.manifestDigest) return this.#renew();
    const restore = previous?.head.org === head.org ? null : this.#follower.forget();
    const breather = new Breather(this.#clock);
    const result = await this.#follower.offer({
      head: sealedHead,
      keySets: this.#keySets(head.org),
      async object({ digest }) {
        await breather.breathe();
        return objects.get(digest) ?? null;
      },
    });
    if (result === "applied") this.#built = { head, objects };
    else restore?.();
    return result === "applied";
  }

  #renewLater(): void {
    if (this.#closed) return;
    const delayMs = (this.#options.headRenewSeconds ?? 30) * 1000;
    this.#renewal = this.#clock.after(delayMs, () => {
      void this.#inTurn(() => this.#renew()).then(() => this.#renewLater());
    });
  }

  /** Offers the bundle in force under a head of now; true when it is taken. */
  async #renew(): Promise<boolean> {
    const built = this.#built;
    if (built === null || this.#closed) return true;
    const head = renewHead(built.head, this.#issuedAtMs(), this.#validForMs());
    const result = await this.#follower.offer({
      head: sealHeadOf(head, this.#signer),
      keySets: new Map(),
      object: async () => null,
    });
    if (result !== "unchanged") return false;
    this.#built = { ...built, head };
    return true;
  }

  #keySets(org: string): ReadonlyMap<number, Uint8Array> {
    const nowMs = this.#clock.nowMs();
    const { keyId: kid, publicKey } = this.#signer;
    const keySet = encodeKeySet({
      number: 1,
      org,
      minEpoch: 1,
      bundleKeys: [{ kid, publicKey, notBeforeMs: 0, notAfterMs: nowMs + keySetForMs }],
      rootThreshold: 1,
      rootKeys: [this.#root.publicKey],
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + keySetForMs,
    });
    return new Map([[1, sealKeySet(keySet, [this.#root])]]);
  }

  // Later than the one before even when the clock jumps back, or a renewal would not be newer.
  #issuedAtMs(): number {
    const previous = this.#built?.head.issuedAtMs;
    return Math.max(this.#clock.nowMs(), previous === undefined ? 0 : previous + 1);
  }

  #validForMs(): number {
    return (this.#options.validForSeconds ?? 3600) * 1000;
  }
}

// A listener logs this; whoever wants all of it has `mesh-iam validate`.
function firstLines(message: string): string {
  const lines = message.split("\n");
  if (lines.length <= maxLines) return message;
  return [...lines.slice(0, maxLines), `and ${lines.length - maxLines} more`].join("\n");
}
