import type { RequestOptions } from "./options.ts";

export type Tags = ReadonlyMap<string, string>;
export type AuthType = "AWS_IAM" | "NONE";
export type ServiceMode = "enforce" | "shadow";
export type PrincipalSource = "session" | "jwt" | "jwt-svid" | "mtls";

/** How requests become actions: the part of a Service document that a Check reads (DESIGN 6). */
export interface ServiceDefinition {
  readonly account: string;
  /** Also the action prefix and the service field of its ARNs. */
  readonly name: string;
  /** `arn:<partition>:mesh-iam::<account>:service/<name>` */
  readonly arn: string;
  readonly hosts: readonly string[];
  readonly mode: ServiceMode;
  readonly authType: AuthType;
  readonly principalFrom: readonly PrincipalSource[];
  readonly requireCredential: readonly PrincipalSource[];
  /** Narrows the providers' audiences; null: as the providers say. */
  readonly audiences: readonly string[] | null;
  readonly forwardCredential: boolean;
  readonly cors: boolean;
  readonly routes: readonly Route[];
  readonly contextKeys: readonly ContextKeyDefinition[];
  readonly request: RequestOptions;
  /** Headers removed on the way to the application, lower-case. */
  readonly hideHeaders: readonly string[];
  readonly tags: Tags;
}

export type AccessLevel = "List" | "Read" | "Write" | "Permissions management" | "Tagging";

/** One way into a service: an HTTP method and path template, or an RPC. */
export interface Route {
  readonly match:
    | { readonly type: "http"; readonly method: string; readonly template: string }
    | { readonly type: "grpc"; readonly service: string; readonly method: string };
  /** Without the service's prefix: `GetOrder`. */
  readonly action: string;
  /** Resource template of the ARN's sixth field: `order/{orderId}`. */
  readonly resource: string;
  readonly accessLevel: AccessLevel;
  readonly authType: AuthType | null;
  readonly tags: Tags;
}

export interface ContextKeyDefinition {
  /** `<service>:Name` */
  readonly key: string;
  readonly source:
    | { readonly type: "header"; readonly name: string }
    | { readonly type: "query"; readonly name: string }
    | { readonly type: "path"; readonly variable: string };
  readonly valueType: "string" | "number" | "bool" | "date" | "ip" | "arn";
  readonly multivalued: boolean;
}
