// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are what is generated
import type { Arn } from "../../src/iam/arn.ts";
import type { Principal } from "../../src/iam/principal.ts";
import type { ResourceClass } from "../../src/iam/request-context.ts";

/**
 * The small world that questions are drawn from: few names, so that policies hit, and every value
 * that the specification treats specially.
 */
export const own = "111111111111";
export const other = "222222222222";
const arn = (text: string): string =>
  text.replaceAll(":A:", `:${own}:`).replaceAll(":B:", `:${other}:`);

const teamBlue = new Map([["Team", "blue"]]);
const untagged = new Map<string, string>();

const user = (path: string, name: string): Principal => ({
  type: "user",
  account: own,
  arn: arn(`arn:aws:iam::A:user${path}${name}`),
  name,
  id: name === "bob" ? "AIDABOB" : null,
  tags: teamBlue,
});

const session = (path: string, serviceLinked: boolean): Principal => ({
  type: "assumed-role",
  account: own,
  arn: arn("arn:aws:sts::A:assumed-role/app/s1"),
  roleArn: arn(`arn:aws:iam::A:role${path}app`),
  roleName: "app",
  sessionName: "s1",
  id: "AROA1",
  serviceLinked,
  tags: untagged,
});

const federated = (maker: string): Principal => ({
  type: "federated-user",
  account: own,
  arn: arn("arn:aws:sts::A:federated-user/bob"),
  name: "bob",
  userArn: arn(`arn:aws:iam::A:user/${maker}`),
  userId: maker === "bob" ? "AIDABOB" : null,
  tags: untagged,
});

export const idp = arn("arn:aws:iam::A:oidc-provider/idp.example");
export const saml = arn("arn:aws:iam::A:saml-provider/corp");

export const principals: readonly Principal[] = [
  user("/", "bob"),
  user("/", "bob"),
  user("/team/", "al"),
  session("/", false),
  session("/team/", false),
  session("/aws-service-role/x/", true),
  federated("bob"),
  federated("al"),
  { type: "root", account: own, arn: arn("arn:aws:iam::A:root") },
  {
    type: "workload",
    account: own,
    arn: arn("arn:aws:iam::A:workload/td/ns/x/sa/y"),
    id: null,
    tags: untagged,
  },
  { type: "anonymous" },
  { type: "service", name: "sns.amazonaws.com" },
  { type: "web-identity", provider: idp },
  { type: "saml", provider: saml },
];

/** Every principal that a policy may name under `AWS`, real, absent and left behind. */
export const awsNames: readonly string[] = [
  "*",
  own,
  other,
  "AROA1234567890EXAMPL",
  ...[
    "arn:aws:iam::A:root",
    "arn:aws-cn:iam::A:root",
    "arn:aws:iam::B:root",
    "arn:aws:iam::A:user/bob",
    "arn:aws:iam::A:user/Bob",
    "arn:aws:iam::A:user/al",
    "arn:aws:iam::A:user/team/al",
    "arn:aws-cn:iam::A:user/bob",
    "arn:aws:iam::A:role/app",
    "arn:aws:iam::A:role/team/app",
    "arn:aws:iam::B:role/app",
    "arn:aws:sts::A:assumed-role/app/s1",
    "arn:aws:sts::A:assumed-role/app/s2",
    "arn:aws:sts::A:federated-user/bob",
    "arn:aws:sts::A:federated-user/al",
    "arn:aws:iam::A:workload/td/ns/x/sa/y",
    "arn:aws:iam::A:workload/td/x/y",
  ].map(arn),
];

/** A canonical user id, which is an account where an account declares it. */
export const canonicalUser = "0123456789abcdef".repeat(4);

/** What is asked for: an action, a resource it fits, and the class of that resource. */
export interface Target {
  readonly action: string;
  readonly arn: Arn | null;
  readonly class: ResourceClass;
}

const resource = (service: string, region: string, account: string, text: string): Arn => ({
  partition: "aws",
  service,
  region,
  account,
  resource: text,
});

const object = (key: string): Target => ({
  action: "s3:GetObject",
  arn: resource("s3", "", "", `bkt/${key}`),
  class: "ordinary",
});

const role = (action: string): Target => ({
  action,
  arn: resource("iam", "", own, "role/app"),
  class: "role-trust",
});

export const targets: readonly Target[] = [
  object("bob/x"),
  object("blue"),
  object("a:b"),
  object("*"),
  object("a\nb"),
  object("\u{1F600}"),
  { action: "sqs:SendMessage", arn: resource("sqs", "us-east-1", own, "q1"), class: "ordinary" },
  { action: "orders:GetOrder", arn: resource("orders", "", own, "order/42"), class: "ordinary" },
  { action: "s3:ListAllMyBuckets", arn: null, class: "ordinary" },
  { action: "iam:GetUser", arn: resource("iam", "", own, "user/bob"), class: "ordinary" },
  {
    action: "kms:Decrypt",
    arn: resource("kms", "us-east-1", own, "key/1"),
    class: "owner-delegates",
  },
  {
    action: "kms:Decrypt",
    arn: resource("kms", "us-east-1", own, "alias/bob"),
    class: "owner-delegates",
  },
  { action: "sts:GetCallerIdentity", arn: null, class: "ordinary" },
  role("sts:AssumeRole"),
  role("sts:AssumeRole"),
  role("sts:TagSession"),
  role("sts:AssumeRoleWithWebIdentity"),
  role("sts:AssumeRoleWithSAML"),
];

export const actionPatterns: readonly string[] = [
  "*",
  "*:*",
  "s3:*",
  "s3:Get*",
  "s3:*Object",
  "S3:GETOBJECT",
  "s?:GetObject",
  "s3:GetObjec?",
  "s3:GetObject ",
  "sqs:*",
  "sqs:SendMessage",
  "sqs:Receive*",
  "orders:*",
  "kms:*",
  "iam:*",
  "sts:*",
  "sts:AssumeRole",
  "sts:AssumeRole*",
  "nosuch:*",
];

export const resourcePatterns: readonly string[] = [
  "*",
  "arn:*",
  "arn:aws:s3:*",
  "arn:aws:s3:::*",
  "arn:aws:s3:::bkt/*",
  "arn:aws:s3:::bkt/?",
  "arn:aws:s3:::bkt/bob/*",
  "arn:aws:s3:::BKT/*",
  "arn:aws-cn:s3:::bkt/*",
  "arn:a*:s3:*:*:b?t/*",
  "arn:aws:s3:::bkt/a?b",
  "arn:aws:s3:::bkt/${*}",
  "arn:aws:s3:::bkt/${aws:username}/*",
  "arn:aws:s3:::bkt/${aws:PrincipalTag/Team}",
  "arn:aws:s3:::b*/${aws:username}/?",
  "arn:aws:s3:::bkt/*${aws:PrincipalTag/Team}${*}",
  "arn:aws:s3:::*${aws:username}*x",
  "arn:aws:s3:::b?t/${aws:username}/x",
  "arn:aws:s3:::bkt/${aws:PrincipalTag/Team, 'bob'}*",
  "arn:aws:s3:::${mesh:JwtClaim/groups}/*",
  "arn:aws:s3:::bkt/${aws:TagKeys, 'blue'}",
  "arn:aws:sqs:*:*:q1",
  "arn:aws:sqs:*:${aws:PrincipalAccount}:q?",
  `arn:aws:sqs:us-east-1:${own}:q1`,
  "arn:aws:sqs::*:q1",
  "arn:aws:orders:*:*:order/*",
  "arn:aws:kms:us-east-1:*:*",
  "arn:aws:kms:*:*:alias/${aws:username}",
  "arn:aws:iam::*:role/*",
  "arn:aws:iam::*:user/${aws:username}",
];
