import type { MappedPrincipal } from "../../domain/principal/mapped-principal.ts";
import { type RequestKeySettings, requestKey } from "../../domain/request/context-keys.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { ContextKeys, ContextValue, KeyFault } from "../../iam/request-context.ts";
import type { AskedCheck } from "./asked-check.ts";
import type { AttestedKeys } from "./attested-keys.ts";

/**
 * The condition keys of the Check at hand, filled when somebody asks and remembered until the next
 * `bind`. One per process.
 *
 * INVARIANT: a Check is synchronous, so two never share this record at a time.
 */
export class RequestKeys implements ContextKeys {
  readonly #settings: RequestKeySettings;
  readonly #known = new Map<string, ContextValue | KeyFault | undefined>();
  #asked: AskedCheck | null = null;
  #request: ResolvedRequest | null = null;
  #caller: MappedPrincipal | null = null;
  #attested: readonly AttestedKeys[] = [];

  constructor(settings: RequestKeySettings) {
    this.#settings = settings;
  }

  /** Forgets the last Check and takes this one. Everything given is borrowed until the next call. */
  bind(
    asked: AskedCheck,
    request: ResolvedRequest,
    caller: MappedPrincipal,
    attested: readonly AttestedKeys[],
  ): void {
    this.#known.clear();
    this.#asked = asked;
    this.#request = request;
    this.#caller = caller;
    this.#attested = attested;
  }

  /** Returns the key's value for the engine: a faulty key reads as absent, and is looked for apart. */
  get(keyLower: string): ContextValue | undefined {
    const value = this.read(keyLower);
    return typeof value === "string" ? undefined : value;
  }

  /** Returns the key's value, or why it has none (KEY-3, KEY-8, KEY-9). */
  read(keyLower: string): ContextValue | KeyFault | undefined {
    const known = this.#known.get(keyLower);
    if (known !== undefined || this.#known.has(keyLower)) return known;
    const value = this.#fill(keyLower);
    this.#known.set(keyLower, value);
    return value;
  }

  #fill(key: string): ContextValue | KeyFault | undefined {
    const { mapped, asked, request } = this.#bound();
    const { attributes, service, asOfMs } = asked;
    const own = mapped.keys.get(key) ?? service.keys.get(key);
    if (own !== undefined) return own;
    for (const proven of this.#attested) {
      const value = proven.read(key);
      if (value !== undefined) return value;
    }
    if (key === "aws:multifactorauthage" && mapped.multiFactorAuthAtMs !== null) {
      const seconds = Math.max(0, Math.floor((asOfMs - mapped.multiFactorAuthAtMs) / 1000));
      return { multivalued: false, values: [String(seconds)] };
    }
    return requestKey(key, attributes, request, this.#settings, asOfMs);
  }

  #bound(): { mapped: MappedPrincipal; asked: AskedCheck; request: ResolvedRequest } {
    if (this.#caller === null || this.#asked === null || this.#request === null) {
      throw new TypeError("request keys are read before they are bound");
    }
    return { mapped: this.#caller, asked: this.#asked, request: this.#request };
  }
}
