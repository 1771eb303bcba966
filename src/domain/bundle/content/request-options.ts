import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  EncodedSlash,
  MethodOverride,
  PathParameters,
  type RequestOptions as RequestOptionsMessage,
  type RequestOptionsSchema,
  RequestProtocol,
  TrailingSlash,
} from "../../../gen/meshiam/bundle/v1/service_pb.ts";
import { defaultRequestOptions, type RequestOptions } from "../../request/options.ts";
import type { ObjectCheck } from "./object-check.ts";
import { createWords } from "./words.ts";

const encodedSlashes = createWords<RequestOptions["encodedSlash"], EncodedSlash>({
  deny: EncodedSlash.DENY,
  separator: EncodedSlash.SEPARATOR,
  literal: EncodedSlash.LITERAL,
});

const parameters = createWords<RequestOptions["parameters"], PathParameters>({
  deny: PathParameters.DENY,
  strip: PathParameters.STRIP,
  literal: PathParameters.LITERAL,
});

const trailingSlashes = createWords<RequestOptions["trailingSlash"], TrailingSlash>({
  distinct: TrailingSlash.DISTINCT,
  ignore: TrailingSlash.IGNORE,
});

const protocols = createWords<RequestOptions["protocol"], RequestProtocol>({
  mixed: RequestProtocol.MIXED,
  grpc: RequestProtocol.GRPC,
});

const methodOverrides = createWords<RequestOptions["methodOverride"], MethodOverride>({
  ignore: MethodOverride.IGNORE,
  deny: MethodOverride.DENY,
  both: MethodOverride.BOTH,
});

export function encodeRequestOptions(
  options: RequestOptions,
): MessageInitShape<typeof RequestOptionsSchema> {
  return {
    mergeSlashes: options.mergeSlashes,
    encodedSlash: encodedSlashes.numberOf(options.encodedSlash),
    parameters: parameters.numberOf(options.parameters),
    trailingSlash: trailingSlashes.numberOf(options.trailingSlash),
    caseInsensitive: options.caseInsensitive,
    relaxedChars: options.relaxedChars,
    protocol: protocols.numberOf(options.protocol),
    methodOverride: methodOverrides.numberOf(options.methodOverride),
    maxTargetBytes: options.maxTargetBytes,
    maxPathBytes: options.maxPathBytes,
    maxSegments: options.maxSegments,
    maxQueryParameters: options.maxQueryParameters,
    commaHeaders: [...options.commaHeaders],
  };
}

/** Returns the options; they have to be there in full, so that a default never replaces a choice. */
export function decodeRequestOptions(
  message: RequestOptionsMessage | undefined,
  check: ObjectCheck,
): RequestOptions {
  if (message === undefined) {
    check.fail("request is absent");
    return defaultRequestOptions;
  }
  return Object.freeze({
    mergeSlashes: message.mergeSlashes,
    encodedSlash: check.word(encodedSlashes, message.encodedSlash, "encodedSlash"),
    parameters: check.word(parameters, message.parameters, "parameters"),
    trailingSlash: check.word(trailingSlashes, message.trailingSlash, "trailingSlash"),
    caseInsensitive: message.caseInsensitive,
    relaxedChars: message.relaxedChars,
    protocol: check.word(protocols, message.protocol, "protocol"),
    methodOverride: check.word(methodOverrides, message.methodOverride, "methodOverride"),
    maxTargetBytes: message.maxTargetBytes,
    maxPathBytes: message.maxPathBytes,
    maxSegments: message.maxSegments,
    maxQueryParameters: message.maxQueryParameters,
    commaHeaders: message.commaHeaders,
  });
}
