import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { evaluationTimeMs } from "../../domain/request/context-keys.ts";
import type { FrontedService } from "./fronted-service.ts";

/** A Check whose service is known, and the two times that judge it. Borrowed until it is answered. */
export interface AskedCheck {
  readonly service: FrontedService;
  readonly attributes: CheckAttributes;
  /** The local clock: it judges credentials. */
  readonly nowMs: number;
  /** The evaluation time, `request.time` where that can be believed: it judges conditions. */
  readonly asOfMs: number;
}

/** Returns the Check as it is asked of `service` at `nowMs`. */
export function askedCheck(
  service: FrontedService,
  attributes: CheckAttributes,
  nowMs: number,
): AskedCheck {
  return { service, attributes, nowMs, asOfMs: evaluationTimeMs(attributes, nowMs) };
}
