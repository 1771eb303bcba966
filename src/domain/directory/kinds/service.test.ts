import { expect, test } from "vitest";
import {
  A,
  document,
  read,
  refusals,
  several,
  wide,
} from "../../../../test/fakes/document-texts.ts";

const routes = (...lines: string[]) =>
  document("Service", "orders", ["routes:", ...lines.map((line) => `  - ${line}`)].join("\n"));

test.each([
  {
    why: "a name in upper case",
    text: document("Service", "Orders", "{}"),
    want: [
      "a.yaml:3:19 Service/Orders metadata.name: expected a service name of lower-case letters, digits and `-`, got the text `Orders`",
    ],
  },
  {
    why: "a name that is the prefix of global keys",
    text: document("Service", "aws", "{}"),
    want: [
      "a.yaml:3:19 Service/aws metadata.name: the name `aws` is reserved: it would be the prefix of built-in actions or keys",
    ],
  },
  {
    why: "a name that RCPs do not reach",
    text: document("Service", "iam", "{}"),
    want: [
      "a.yaml:3:19 Service/iam metadata.name: the name `iam` is reserved: it would be the prefix of built-in actions or keys",
    ],
  },
  {
    why: "a host in upper case",
    text: document("Service", "orders", "hosts: [Orders.example.com]"),
    want: [
      "a.yaml:5:11 Service/orders spec.hosts[0]: expected a host in lower case, without port, got the text `Orders.example.com`",
    ],
  },
  {
    why: "a host with a port",
    text: document("Service", "orders", 'hosts: ["orders:80"]'),
    want: [
      "a.yaml:5:11 Service/orders spec.hosts[0]: expected a host in lower case, without port, got `orders:80`",
    ],
  },
  {
    why: "a host given twice",
    text: document("Service", "orders", "hosts: [a.example, a.example]"),
    want: ["a.yaml:5:22 Service/orders spec.hosts[1]: `a.example` is already item 0"],
  },
  {
    why: "a workload that is no SPIFFE id",
    text: document("Service", "orders", "workloads: [cluster.local/ns/a/sa/b]"),
    want: [
      "a.yaml:5:15 Service/orders spec.workloads[0]: expected a SPIFFE id like `spiffe://cluster.local/ns/shop/sa/orders`, got the text `cluster.local/ns/a/sa/b`",
    ],
  },
  {
    why: "an unknown kind of credential",
    text: document("Service", "orders", "principalFrom: [jwt-svd]"),
    want: [
      "a.yaml:5:19 Service/orders spec.principalFrom[0]: expected one of `session`, `jwt`, `jwt-svid`, `mtls`, got the text `jwt-svd`, did you mean `jwt-svid`?",
    ],
  },
  {
    why: "no kind of credential",
    text: document("Service", "orders", "principalFrom: []"),
    want: ["a.yaml:5:18 Service/orders spec.principalFrom: expected a list of 1 to 4, got 0"],
  },
  {
    why: "FILE-24, two equal routes",
    text: routes(
      '{ http: "GET /a/{x}", action: A, resource: a }',
      '{ http: "GET /a/{y}", action: B, resource: a }',
    ),
    want: [
      "a.yaml:7:7 Service/orders spec.routes[1]: expected a route of its own, got one equal to `GET /a/{x}`",
    ],
  },
  {
    why: "a route for HTTP and gRPC",
    text: routes('{ http: "GET /a", grpc: a.B/C, action: A, resource: a }'),
    want: [
      "a.yaml:6:7 Service/orders spec.routes[0]: expected exactly one of `http`, `grpc`, got `http`, `grpc`",
    ],
  },
  {
    why: "a route for neither",
    text: routes("{ action: A, resource: a }"),
    want: [
      "a.yaml:6:7 Service/orders spec.routes[0]: expected exactly one of `http`, `grpc`, got none",
    ],
  },
  {
    why: "a route without method",
    text: routes('{ http: "/a", action: A, resource: a }'),
    want: [
      "a.yaml:6:15 Service/orders spec.routes[0].http: expected a method and a template like `GET /v1/orders/{orderId}`, got the text `/a`",
    ],
  },
  {
    why: "a wildcard in a resource",
    text: routes('{ http: "GET /a", action: A, resource: "a/*" }'),
    want: ["a.yaml:6:7 Service/orders spec.routes[0]: expected no `*` or `?`, got `a/*`"],
  },
  {
    why: "a variable that the template lacks",
    text: routes('{ http: "GET /a/{x}", action: A, resource: "a/{y}" }'),
    want: [
      "a.yaml:6:7 Service/orders spec.routes[0]: expected a variable of the route's template, got `y`",
    ],
  },
  {
    why: "an action with prefix",
    text: routes('{ http: "GET /a", action: "orders:Get", resource: a }'),
    want: [
      "a.yaml:6:33 Service/orders spec.routes[0].action: expected an action like `GetOrder`, without the service's prefix, got the text `orders:Get`",
    ],
  },
  {
    why: "an access level in lower case",
    text: routes('{ http: "GET /a", action: A, resource: a, accessLevel: read }'),
    want: [
      "a.yaml:6:62 Service/orders spec.routes[0].accessLevel: expected one of `List`, `Read`, `Write`, `Permissions management`, `Tagging`, got the text `read`, did you mean `Read`?",
    ],
  },
  {
    why: "FILE-26, a key with a foreign prefix",
    text: document("Service", "orders", 'contextKeys: { "aws:SourceIp": { header: x-a } }'),
    want: [
      'a.yaml:5:34 Service/orders spec.contextKeys["aws:SourceIp"]: expected a key with the service\'s prefix `orders:`, got `aws:SourceIp`',
    ],
  },
  {
    why: "KEY-6, keys that differ in case",
    text: document(
      "Service",
      "orders",
      'contextKeys: { "orders:A": { header: x-a }, "orders:a": { header: x-b } }',
    ),
    want: [
      'a.yaml:5:47 Service/orders spec.contextKeys["orders:a"]: `orders:a` and `orders:A` differ in case only',
    ],
  },
  {
    why: "a header that upstreams may read as one with a credential",
    text: document(
      "Service",
      "orders",
      'contextKeys: { "orders:A": { header: proxy_authorization } }',
    ),
    want: [
      'a.yaml:5:40 Service/orders spec.contextKeys["orders:A"].header: the header `proxy_authorization` holds a credential and is never shown to policies',
    ],
  },
  {
    why: "a header that holds a credential",
    text: document("Service", "orders", 'contextKeys: { "orders:A": { header: authorization } }'),
    want: [
      'a.yaml:5:40 Service/orders spec.contextKeys["orders:A"].header: the header `authorization` holds a credential and is never shown to policies',
    ],
  },
  {
    why: "an identity header",
    text: document(
      "Service",
      "orders",
      'contextKeys: { "orders:A": { header: x-mesh-iam-principal } }',
    ),
    want: [
      'a.yaml:5:40 Service/orders spec.contextKeys["orders:A"].header: headers that begin with `x-mesh-iam-` are removed from requests',
    ],
  },
  {
    why: "a header in upper case",
    text: document("Service", "orders", 'contextKeys: { "orders:A": { header: X-A } }'),
    want: [
      'a.yaml:5:40 Service/orders spec.contextKeys["orders:A"].header: expected the name of a header in lower case, got the text `X-A`',
    ],
  },
  {
    why: "a variable that no template has",
    text: document("Service", "orders", 'contextKeys: { "orders:A": { path: id } }'),
    want: [
      'a.yaml:5:38 Service/orders spec.contextKeys["orders:A"].path: no route\'s template has the variable `id`',
    ],
  },
  {
    why: "a key without source",
    text: document("Service", "orders", 'contextKeys: { "orders:A": { type: string } }'),
    want: [
      'a.yaml:5:30 Service/orders spec.contextKeys["orders:A"]: expected exactly one of `header`, `query`, `path`, got none',
    ],
  },
  {
    why: "request options out of range",
    text: document(
      "Service",
      "orders",
      'request: { trailingSlash: ignored, maxSegments: 0, relaxedChars: ";" }',
    ),
    want: [
      "a.yaml:5:29 Service/orders spec.request.trailingSlash: expected one of `distinct`, `ignore`, got the text `ignored`, did you mean `ignore`?",
      "a.yaml:5:51 Service/orders spec.request.maxSegments: expected a whole number from 1 to 4096, got the number `0`",
      'a.yaml:5:68 Service/orders spec.request.relaxedChars: expected some of the characters `"<>[]^{}|` and the backtick, got the text `;`',
    ],
  },
  {
    why: "FILE-24, a host in two services of one gateway",
    text: several(
      document("Service", "orders", "hosts: [a.example]\ngateways: [spiffe://td.example/gw]"),
      document(
        "Service",
        "stock",
        "hosts: [b.example, a.example]\ngateways: [spiffe://td.example/gw]",
      ),
    ),
    want: [
      "a.yaml:12:22 Service/stock spec.hosts[1]: the host `a.example` is that of Service/orders at a.yaml:5:11 too, and `spiffe://td.example/gw` serves both",
    ],
  },
  {
    why: "a permission set for 13 hours",
    text: wide("PermissionSet", "p", "sessionDuration: PT13H"),
    want: [
      "a.yaml:5:20 PermissionSet/p spec.sessionDuration: expected a duration from `PT1H` to `PT12H`, got the text `PT13H`",
    ],
  },
  {
    why: "an assignment of nothing to nobody",
    text: several(
      wide(
        "PermissionSetAssignment",
        "a",
        `permissionSetArn: p\nprincipalType: GROUP\nprincipalId: "arn:aws:iam::${A}:group/x"\ntargetType: AWS_ACCOUNT\ntargetId: "${A}"`,
      ),
    ),
    want: [
      "a.yaml:5:21 PermissionSetAssignment/a spec.permissionSetArn: unknown permission set `p`",
      `a.yaml:7:16 PermissionSetAssignment/a spec.principalId: expected the ARN of a group that exists, \`arn:aws:iam::${A}:group/<path and name>\`, got \`arn:aws:iam::${A}:group/x\``,
    ],
  },
  {
    why: "an assignment to an account that lacks a policy of the set",
    text: several(
      wide("PermissionSet", "p", "customerManagedPolicyReferences: [{ name: audit, path: /x/ }]"),
      document("Group", "g", "{}"),
      document("ManagedPolicy", "audit", `policyDocument: ${read}`),
      wide(
        "PermissionSetAssignment",
        "a",
        `permissionSetArn: p\nprincipalType: GROUP\nprincipalId: "arn:aws:iam::${A}:group/g"\ntargetType: AWS_ACCOUNT\ntargetId: "${A}"`,
      ),
    ),
    want: [
      `a.yaml:27:13 PermissionSetAssignment/a spec.targetId: account \`${A}\` has no managed policy \`/x/audit\`, which the permission set \`p\` names`,
    ],
  },
  {
    why: "an assignment to a name",
    text: several(
      wide("PermissionSet", "p", "{}"),
      wide(
        "PermissionSetAssignment",
        "a",
        `permissionSetArn: p\nprincipalType: USER\nprincipalId: bob\ntargetType: AWS_ACCOUNT\ntargetId: "${A}"`,
      ),
    ),
    want: [
      "a.yaml:13:16 PermissionSetAssignment/a spec.principalId: expected the ARN of a user, `arn:aws:iam::<account>:user/<name>`, got `bob`",
    ],
  },
])("$why is refused", ({ text, want }) => {
  expect(refusals(text)).toEqual(want);
});
