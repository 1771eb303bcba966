import type { Policy } from "../../../gen/meshiam/bundle/v1/policy_pb.ts";
import type { PolicyText } from "../../directory/model.ts";
import type { Words } from "./words.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The reading of one object out of a verified part. Remembers the first reason why it cannot be read;
 * from then on the values handed out are placeholders, and the caller puts a poison marker in the
 * object's place (BUN-5). One per object.
 */
export class ObjectCheck {
  #reason: string | null = null;

  /** Null as long as everything was readable. */
  get reason(): string | null {
    return this.#reason;
  }

  fail(reason: string): void {
    this.#reason ??= reason;
  }

  /** Returns `text`, which has to say something. */
  filled(text: string, field: string): string {
    if (text === "") this.fail(`${field} is empty`);
    return text;
  }

  /** Returns the word of a number; an unknown one may come from a newer writer. */
  word<W extends string>(words: Words<W, number>, number: number, field: string): W {
    const word = words.wordOf(number);
    if (word === undefined) this.fail(`${field} has the unknown value ${number}`);
    return word ?? words.first;
  }

  /** Returns a policy that has to be there, its text decoded strictly. */
  policy(message: Policy | undefined, field: string): PolicyText {
    if (message === undefined) {
      this.fail(`${field} is absent`);
      return noPolicy;
    }
    let text = "";
    try {
      text = utf8.decode(message.text);
    } catch {
      this.fail(`${field} is not UTF-8`);
    }
    return { id: this.filled(message.id, `${field}.id`), text, source: null };
  }
}

const noPolicy: PolicyText = Object.freeze({ id: "", text: "", source: null });
