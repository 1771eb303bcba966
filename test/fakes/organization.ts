import { createHash } from "node:crypto";
import { createNewId } from "../../src/domain/directory/operations/new-id.ts";
import type {
  OperationContext,
  Question,
  Success,
} from "../../src/domain/directory/operations/operation.ts";
import { prepare, run } from "../../src/domain/directory/operations/prepare.ts";
import {
  defaultOperationQuotas,
  type OperationQuotas,
} from "../../src/domain/directory/operations/quotas.ts";
import { isRefused, type Refusal } from "../../src/domain/directory/operations/refusal.ts";
import { operations } from "../../src/domain/directory/operations/registry.ts";
import { Draft } from "../../src/domain/directory/state/draft.ts";
import { Replica, type StateChange } from "../../src/domain/directory/state/organization-state.ts";

export const management = "999988887777";
export const shop = "111122223333";
export const partner = "444455556666";

/** An organization that operations are tried on: ids from a seed, time that stands still. */
export class FakeOrganization {
  readonly replica = new Replica();
  quotas: OperationQuotas = defaultOperationQuotas;
  manager = "api";
  /** What was committed, a revision each. */
  readonly commits: (readonly StateChange[])[] = [];
  caller = { arn: `arn:aws:iam::${shop}:role/admin`, account: shop };
  readonly #newId;

  constructor(seed = "seed") {
    let drawn = 0;
    this.#newId = createNewId((bytes) => {
      const digest = createHash("sha256").update(`${seed}/${drawn++}`).digest();
      return digest.subarray(0, bytes);
    });
  }

  context(state = new Draft(this.replica)): OperationContext {
    return {
      state,
      caller: this.caller,
      nowMs: 1_795_510_000_000,
      position: { epoch: 1, revision: this.replica.revision + 1 },
      newId: this.#newId,
      manager: this.manager,
      quotas: this.quotas,
      partition: "aws",
    };
  }

  /** Runs an operation; what it changes is committed. */
  try(name: string, input: object = {}): Success | Refusal {
    const operation = operations.get(name);
    if (operation === undefined) throw new Error(`no operation ${name}`);
    const prepared = prepare(operation, input);
    if (isRefused(prepared)) return prepared;
    const context = this.context();
    const result = run(prepared, context);
    if (!isRefused(result) && result.changes.length > 0) {
      this.replica.apply(result.changes, context.position.revision);
      this.commits.push(result.changes);
    }
    return result;
  }

  /** Runs an operation that has to succeed, and returns its answer. */
  call(name: string, input: object = {}): Readonly<Record<string, never>> {
    const result = this.try(name, input);
    if (isRefused(result)) throw new Error(`${name}: ${JSON.stringify(result)}`);
    return result.answer as Readonly<Record<string, never>>;
  }

  questions(name: string, input: object = {}): readonly Question[] {
    const operation = operations.get(name);
    const prepared = operation === undefined ? undefined : prepare(operation, input);
    if (prepared === undefined || isRefused(prepared)) throw new Error(JSON.stringify(prepared));
    return prepared.operation.questions(prepared.input, this.context());
  }
}

/** Returns a policy as text. */
export function policyOf(...statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

export const allowRead = policyOf({ Effect: "Allow", Action: "orders:Get*", Resource: "*" });
export const trustShop = policyOf({
  Effect: "Allow",
  Principal: { AWS: shop },
  Action: "sts:AssumeRole",
});
export const denyAll = policyOf({ Effect: "Deny", Action: "orders:*", Resource: "*" });

/** An organization with two accounts in a unit and the management account. */
export function createOrganization(seed?: string): FakeOrganization {
  const made = new FakeOrganization(seed);
  made.call("organizations:CreateOrganization", {
    name: "acme",
    managementAccountId: management,
    id: "o-acme123456",
    rootId: "r-acme",
  });
  made.call("organizations:CreateOrganizationalUnit", {
    parentId: "r-acme",
    name: "prod",
    id: "ou-acme-prod00001",
  });
  made.call("organizations:CreateAccount", {
    accountName: "shop",
    accountId: shop,
    parentId: "ou-acme-prod00001",
  });
  made.call("organizations:CreateAccount", { accountName: "partner", accountId: partner });
  return made;
}
