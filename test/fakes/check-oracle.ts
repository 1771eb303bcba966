import { fromBinary } from "@bufbuild/protobuf";
import { configureTextEncoding, getTextEncoding } from "@bufbuild/protobuf/wire";
import { CheckRequestSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { coerced, decodeStrictly, oracleView } from "./check-views.ts";

/** What protobuf-es makes of a CheckRequest's bytes. */
export interface OracleReading {
  /** In the words of CheckAttributes; `denied` where it refuses, or what it read is to be refused. */
  readonly view: object | "denied";
  /**
   * A text is no UTF-8. The scanner reads some texts as bytes and others not at all, so that the views
   * of such a message may differ.
   */
  readonly hasInvalidUtf8: boolean;
}

/** Returns protobuf-es' reading of `bytes`, which is the scanner's oracle; never throws. */
export function readByOracle(bytes: Uint8Array): OracleReading {
  let hasInvalidUtf8 = false;
  const usual = getTextEncoding();
  // It belongs to the whole process, in which other messages are read strictly.
  configureTextEncoding({
    ...usual,
    decodeUtf8(text) {
      const whole = decodeStrictly(text);
      if (whole !== undefined) return whole;
      hasInvalidUtf8 = true;
      return coerced(text);
    },
  });
  try {
    return { view: oracleView(fromBinary(CheckRequestSchema, bytes)), hasInvalidUtf8 };
  } catch {
    return { view: "denied", hasInvalidUtf8 };
  } finally {
    configureTextEncoding(usual);
  }
}
