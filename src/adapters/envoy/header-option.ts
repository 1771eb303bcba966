import { build, type ReverseWriter } from "./wire-writer.ts";

/**
 * Returns one entry of `headers`, tag included: the field has number 2 in OkHttpResponse and in
 * DeniedHttpResponse alike.
 *
 * Each entry says "overwrite" twice, as `append: {value: false}` and as `append_action` 2, because
 * Envoy versions differ in which of the two they read (envoy-ext-authz, R4). `name` is lower-case;
 * `value` has passed `encodeHeaderValue`, or is a constant of ours.
 */
export function headerOption(name: string, value: string): Buffer {
  return build((writer) => writeHeaderOption(writer, name, value));
}

/** Writes the same entry for a value that changes with each answer. */
export function writeHeaderOption(writer: ReverseWriter, name: string, value: string): void {
  const option = writer.length;
  writer.uint(3, 2); // OVERWRITE_IF_EXISTS_OR_ADD
  writer.delimit(2, writer.length); // append: an empty BoolValue, false
  const header = writer.length;
  writer.text(2, value);
  writer.text(1, name);
  writer.delimit(1, header);
  writer.delimit(2, option);
}
