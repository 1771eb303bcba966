import { authorizerSettings } from "./schema.ts";
import { type Members, namedSettings } from "./setting.ts";
import { optionName } from "./text-layers.ts";

/** A flag of a process, ready for a command line parser. */
export interface ConfigFlag {
  /** `--drain-seconds <seconds>`, of yes-or-no settings `--verbose [boolean]` */
  readonly usage: string;
  /** The name under which `loadConfig` takes it: `drainSeconds`. */
  readonly option: string;
  readonly summary: string;
  /** True where it may be given more than once. */
  readonly many: boolean;
}

/** Returns every flag of a process, the authorizer by default, in the order of its settings table. */
export function configFlags(settings: Members = authorizerSettings): readonly ConfigFlag[] {
  return namedSettings(settings).map((named) => {
    const { kind, summary } = named.setting;
    const value = kind.bare ? `[${kind.placeholder}]` : `<${kind.placeholder}>`;
    return {
      usage: `${named.flag} ${value}`,
      option: optionName(named),
      summary,
      many: kind.many === true,
    };
  });
}
