import { grammars } from "../../property/grammars.ts";
import { bytesOf, must, pieces, type Target, unitsOf } from "../target.ts";

/** FUZ-04: numbers, dates, truth values, addresses and base64, as the reference reads them. */
export const values: Target = {
  name: "values",
  id: "FUZ-04",
  about: "two condition values around a zero byte",
  words: ["2024-02-29T", "+23:59", ".123456789", "::ffff:", "/32", "0".repeat(64), "-", "==", "Z"],
  seeds: () =>
    grammars.flatMap(({ samples }) => samples.map((left) => bytesOf(`${left}\0${samples[0]}`))),
  fuzz(data) {
    const [left = "", right = ""] = pieces(data, 2).map(unitsOf);
    // globs have a target of their own, and the reference's loop is slow on long ones
    for (const { name, engine, reference } of grammars.slice(1)) {
      const [ours, theirs] = [engine(left, right), reference(left, right)];
      must(JSON.stringify(ours) === JSON.stringify(theirs), `${name}: read and compared alike`);
    }
  },
};
