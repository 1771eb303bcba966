import { isDeepStrictEqual } from "node:util";
import { createDecoder } from "../../../src/adapters/envoy/decode.ts";
import { isDenied } from "../../../src/domain/request/denied.ts";
import { readByOracle } from "../../fakes/check-oracle.ts";
import { scannerView } from "../../fakes/check-views.ts";
import captured from "../../fixtures/check-requests.json" with { type: "json" };
import { must, type Target } from "../target.ts";

const decoder = createDecoder();

/** FUZ-10: the scanner over what Envoy sends, every text of it made. */
export const checkRequest: Target = {
  name: "check-request",
  id: "FUZ-10",
  about: "a serialised CheckRequest, with protobuf-es as the oracle",
  words: ["\n\u0080\u0001", '"\u00ff\u00ff\u0003', "x-mesh-iam-principal", ":path", "\u0018\u0001"],
  seeds: () => captured.map(({ base64 }) => new Uint8Array(Buffer.from(base64, "base64"))),
  fuzz(data) {
    const attributes = decoder.decode(data);
    if (isDenied(attributes)) {
      must(
        attributes.reason === "malformed" || attributes.reason === "request-too-large",
        `a reason of the decoder, not ${attributes.reason}`,
      );
      return;
    }
    const { view, hasInvalidUtf8 } = readByOracle(data);
    must(view !== "denied", "what protobuf-es refuses is refused");
    if (hasInvalidUtf8) return;
    must(isDeepStrictEqual(scannerView(attributes), view), "read as protobuf-es reads it");
  },
};
