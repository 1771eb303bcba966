import type { PolicyText } from "./model.ts";

/** The built-in SCP, as it is named and known at AWS. */
export const fullAccessName = "FullAWSAccess";
export const fullAccessId = "p-FullAWSAccess";
export const resourceFullAccessName = "RCPFullAWSAccess";

/** Shared by every level that it is attached to, so that it is compiled once. */
export const fullAccess: PolicyText = Object.freeze({
  id: `arn:aws:organizations::aws:policy/service_control_policy/${fullAccessId}`,
  text: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
  source: null,
});
