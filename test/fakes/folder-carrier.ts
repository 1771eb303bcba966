import type { BundleOptions } from "../../src/domain/bundle/build.ts";
import { renewHead, sealHeadOf } from "../../src/domain/bundle/build.ts";
import { decodeHead, type Head } from "../../src/domain/bundle/head.ts";
import { defaultBundleLimits } from "../../src/domain/bundle/limits.ts";
import { openEnvelope } from "../../src/domain/bundle/signed.ts";
import type { SignedBundle } from "../../src/domain/bundle/signed-bundle.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import { bundleOf, hourMs } from "./bundle.ts";
import { bundleKey, thief } from "./bundle-keys.ts";
import type { FakeDisk } from "./fake-disk.ts";

/** An honest builder and a dishonest copier of one folder: the adversary of a folder carrier. */
export class FolderCarrier {
  /** Everything that was ever published, oldest first. */
  readonly history: SignedBundle[] = [];
  readonly #disk: FakeDisk;
  readonly #folder: string;
  readonly #nowMs: () => number;
  #revision = 0;
  #last: SignedBundle | null = null;

  constructor(disk: FakeDisk, folder: string, nowMs: () => number) {
    this.#disk = disk;
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  /** Builds `directory` at the next revision and puts it into the folder. */
  publish(directory: Directory, changes: Partial<BundleOptions> = {}): SignedBundle {
    this.#revision = changes.revision ?? this.#revision + 1;
    const bundle = bundleOf(directory, {
      revision: this.#revision,
      issuedAtMs: this.#nowMs(),
      ...changes,
    });
    this.history.push(bundle);
    this.put(bundle);
    return bundle;
  }

  /** Puts a bundle into the folder as a builder does: objects and key sets first, the head last. */
  put(bundle: SignedBundle): void {
    this.#last = bundle;
    for (const [digest, frame] of bundle.objects) {
      this.#disk.put(`${this.#folder}/objects/${digest}`, frame);
    }
    for (const [number, bytes] of bundle.keySets) {
      this.#disk.put(`${this.#folder}/keysets/${number}`, bytes);
    }
    this.#disk.put(`${this.#folder}/head`, bundle.head);
  }

  /** Puts back what was published as number `index`. */
  replay(index: number): void {
    const bundle = this.history[index];
    if (bundle === undefined) throw new Error("was published");
    this.put(bundle);
  }

  /** Returns the head last put into the folder. */
  head(): Head {
    const last = this.#last;
    if (last === null) throw new Error("something was published");
    const opened = openEnvelope(last.head, 1 << 16, defaultBundleLimits, "head");
    const decoded = opened.ok ? decodeHead(opened.envelope.payload) : opened;
    if (!decoded.ok) throw new Error(decoded.detail);
    return decoded.head;
  }

  /** Signs a new head over the content last put there. */
  renew(changes: Partial<Head> = {}): void {
    const renewed = { ...renewHead(this.head(), this.#nowMs(), hourMs), ...changes };
    const last = this.#last as SignedBundle;
    const bundle = { ...last, head: sealHeadOf(renewed, bundleKey) };
    this.history.push(bundle);
    this.put(bundle);
  }

  /** Puts a head that a thief has signed. */
  spoil(): void {
    const head = { ...this.head(), coveredRevision: 9_000, manifestDigest: "00".repeat(32) };
    this.#disk.put(`${this.#folder}/head`, sealHeadOf(head, thief));
  }
}
