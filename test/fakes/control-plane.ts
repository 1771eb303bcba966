import { randomBytes, randomUUID } from "node:crypto";
import { systemClock } from "../../src/adapters/distribution/system-clock.ts";
import type { StoreEngine } from "../../src/adapters/store/store.ts";
import { createLog } from "../../src/adapters/telemetry/log.ts";
import { createIssuers } from "../../src/domain/credentials/issuers.ts";
import { operations } from "../../src/domain/directory/operations/registry.ts";
import type { CallResult } from "../../src/processes/control-plane/call-result.ts";
import type { CallOrigin, ProvenCaller } from "../../src/processes/control-plane/caller.ts";
import type { OperationCall } from "../../src/processes/control-plane/directory-service.ts";
import {
  type LiveOrganization,
  type OrganizationParts,
  openOrganization,
} from "../../src/processes/control-plane/live-organization.ts";

export const management = "999988887777";
export const shop = "111122223333";

/** A log that nobody reads. */
export const silentLog = createLog({
  writer: {
    write: () => undefined,
    flush: async () => undefined,
    flushSync: () => undefined,
    droppedWrites: 0,
  },
  nowMs: Date.now,
  component: "test",
  version: "0",
  level: "error",
});

const breakGlass: ProvenCaller = { type: "break-glass", home: management };

export const localOrigin: CallOrigin = {
  requestId: "11111111-2222-4333-8444-555555555555",
  sourceIp: null,
  userAgent: "test",
  secure: true,
};

/** What organizations of `engine` are opened with. */
export function organizationParts(
  engine: Pick<StoreEngine, "store" | "auditLog">,
): OrganizationParts {
  return {
    engine,
    clock: systemClock,
    randomBytes,
    log: silentLog,
    instance: randomUUID(),
    partition: "aws",
  };
}

/** Returns the organization `org` with a management account and the account `shop`. */
export async function madeOrganization(
  engine: StoreEngine,
  org: string,
): Promise<LiveOrganization> {
  await engine.store.createOrg(org);
  const live = await openOrganization(org, organizationParts(engine));
  const founding = { name: "acme", managementAccountId: management, id: org };
  await call(live, "organizations:CreateOrganization", founding);
  await call(live, "organizations:CreateAccount", { accountName: "shop", accountId: shop });
  return live;
}

/** Calls an operation as the local socket does. */
export async function tryCall(
  live: LiveOrganization,
  name: string,
  input: object,
  more: Partial<OperationCall> = {},
): Promise<CallResult> {
  const operation = operations.get(name);
  if (operation === undefined) throw new Error(`no operation ${name}`);
  return await live.service.call({
    caller: breakGlass,
    origin: localOrigin,
    operation,
    input,
    clientToken: null,
    dryRun: false,
    force: false,
    eventual: false,
    ...more,
  });
}

/** As `tryCall`, of a call that has to succeed. */
export async function call(
  live: LiveOrganization,
  name: string,
  input: object,
): Promise<Readonly<Record<string, unknown>>> {
  const result = await tryCall(live, name, input);
  if (!result.ok) throw new Error(`${name}: ${JSON.stringify(result)}`);
  return result.answer;
}

export const adminSpiffeId = "spiffe://cluster.local/ns/ops/sa/admin";

/** Adds the provider `login` and, by its tokens, a role of the management account that may do everything. */
export async function addAdministrator(live: LiveOrganization, roleName: string): Promise<void> {
  const account = management;
  const provider = { account, name: "login", url: "https://login.example.com" };
  await tryCall(live, "iam:CreateOpenIDConnectProvider", {
    ...provider,
    tokenKind: "rfc9068",
    audiences: ["mesh"],
  });
  await call(live, "iam:CreateRole", {
    account,
    roleName,
    assumeRolePolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/login.example.com` },
          Action: "sts:AssumeRoleWithWebIdentity",
        },
      ],
    }),
  });
  await call(live, "iam:PutRolePolicy", {
    account,
    roleName,
    policyName: "everything",
    policyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
    }),
  });
}

/** The workload of `adminSpiffeId`, proven by its certificate. */
export function workloadCaller(): ProvenCaller {
  const issuers = createIssuers({
    providers: [],
    trustDomains: [{ id: "td-1", name: "cluster.local", audiences: [], keys: null }],
    accountOfSpiffeId: () => shop,
    keys: { keyOf: () => null } as never,
    listener: { embeddedKey: () => undefined },
  });
  const peer = issuers.peerOf(adminSpiffeId);
  if (peer.type !== "mtls") throw new Error(`no identity ${adminSpiffeId}`);
  const authentication = {
    principalCredential: peer,
    token: null,
    mtls: peer,
    dropped: [],
    authMethod: "mtls",
  } as const;
  return { type: "authenticated", authentication, issuers };
}

/** Makes that workload, with a policy of this one statement. */
export async function addWorkload(live: LiveOrganization, statement?: object): Promise<void> {
  const spiffeId = adminSpiffeId;
  const accounts = [{ account: shop }];
  await call(live, "mesh-iam:PutTrustDomain", { name: "cluster.local", accounts });
  await call(live, "mesh-iam:CreateWorkload", { account: shop, spiffeId, name: "admin" });
  if (statement === undefined) return;
  await call(live, "mesh-iam:PutWorkloadPolicy", {
    account: shop,
    spiffeId,
    policyName: "own",
    policyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
  });
}
