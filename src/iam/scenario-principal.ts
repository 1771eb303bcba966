import { type Arn, createArn, formatArn, parseArn } from "./arn.ts";
import type { Principal, PrincipalType } from "./principal.ts";
import {
  booleanOf,
  entriesOf,
  type Fields,
  fieldsOf,
  type Place,
  refuse,
  refuseValue,
  textOf,
  textsOf,
  wordOf,
} from "./scenario-reader.ts";

/**
 * The principal of a scenario (iam-semantics 12): `{type, arn?, name?, provider?, id?, path?, tags?,
 * serviceLinked?, organization?}`. Which fields a type has is in the table below.
 */
const fieldsByType: Readonly<Record<PrincipalType, readonly string[]>> = {
  anonymous: [],
  root: ["arn"],
  user: ["arn", "id", "tags"],
  workload: ["arn", "id", "tags"],
  "assumed-role": ["arn", "id", "path", "tags", "serviceLinked"],
  "federated-user": ["arn", "name", "id", "tags"],
  service: ["name"],
  "web-identity": ["provider"],
  saml: ["provider"],
};

const principalTypes = Object.keys(fieldsByType) as readonly PrincipalType[];

/** Every field that a principal of some type may have. */
export const principalFields: readonly string[] = [
  ...new Set(["type", ...Object.values(fieldsByType).flat(), "organization"]),
];

/**
 * Returns the principal, or null with problems at the place. The fields that follow from the ARN
 * (account, names) are read from it; the role of a session is `path` and the name in the ARN.
 */
export function readPrincipal(place: Place): Principal | null {
  const type = typeIn(place);
  const fields = type && fieldsOf(place, ["type", ...fieldsByType[type], "organization"]);
  if (!fields) return null;
  switch (type) {
    case "anonymous":
      return { type };
    case "service": {
      const name = requiredText(fields, "name");
      return name === null ? null : { type, name };
    }
    case "web-identity":
    case "saml": {
      const provider = requiredText(fields, "provider");
      return provider === null ? null : { type, provider };
    }
    default: {
      const arnPlace = fields.require("arn");
      return arnPlace === null ? null : readNamedPrincipal(type, arnPlace, fields);
    }
  }
}

function typeIn(place: Place): PrincipalType | null {
  const entries = entriesOf(place);
  if (entries === null) return null;
  const type = entries.find(([name]) => name === "type")?.[1];
  if (type === undefined) {
    return refuse(place, "MISSING_FIELD", "expected the field `type`, got none");
  }
  return wordOf(type, principalTypes);
}

type NamedType = "root" | "user" | "workload" | "assumed-role" | "federated-user";

function readNamedPrincipal(type: NamedType, arnPlace: Place, fields: Fields): Principal | null {
  const text = textOf(arnPlace);
  if (text === null) return null;
  const parsed = parseArn(text);
  const arn = parsed.ok ? parsed.value : null;
  const names = arn === null ? null : namesIn(arn, type);
  if (arn === null || names === null) return refuseValue(arnPlace, `an ARN like ${shapes[type]}`);
  const id = optionalText(fields, "id");
  const tags = textsOf(fields.get("tags"));
  const { account } = arn;
  switch (type) {
    case "root":
      return { type, account, arn: text };
    case "user":
      return { type, account, arn: text, name: names.last, id, tags };
    case "workload":
      return { type, account, arn: text, id, tags };
    case "federated-user": {
      const user = optionalText(fields, "name") ?? names.last;
      const userArn = formatArn(createArn(arn.partition, "iam", "", account, `user/${user}`));
      return { type, account, arn: text, name: names.last, userArn, userId: id, tags };
    }
    case "assumed-role": {
      const pathPlace = fields.get("path");
      const path = (pathPlace && textOf(pathPlace)) ?? "/";
      if (pathPlace && !isPath(path)) refuseValue(pathPlace, "a path such as `/team/`");
      const role = `role${path}${names.first}`;
      const linkedPlace = fields.get("serviceLinked");
      const linked = linkedPlace && booleanOf(linkedPlace);
      return {
        type,
        account,
        arn: text,
        roleArn: formatArn(createArn(arn.partition, "iam", "", account, role)),
        roleName: names.first,
        sessionName: names.last,
        id,
        // EXC-5: the path of service-linked roles is reserved
        serviceLinked: linked ?? path.startsWith("/aws-service-role/"),
        tags,
      };
    }
  }
}

const shapes: Readonly<Record<NamedType, string>> = {
  root: "`arn:aws:iam::111111111111:root`",
  user: "`arn:aws:iam::111111111111:user/name`",
  workload: "`arn:aws:iam::111111111111:workload/trust-domain/path`",
  "assumed-role": "`arn:aws:sts::111111111111:assumed-role/role/session`",
  "federated-user": "`arn:aws:sts::111111111111:federated-user/name`",
};

/** Returns the first and last name in the resource part if the ARN has the shape of the type. */
function namesIn(arn: Arn, type: NamedType): { first: string; last: string } | null {
  const service = type === "assumed-role" || type === "federated-user" ? "sts" : "iam";
  if (arn.service !== service || arn.region !== "" || !isAccount(arn.account)) return null;
  if (type === "root") return arn.resource === "root" ? { first: "root", last: "root" } : null;
  const [kind, ...names] = arn.resource.split("/");
  const [first = ""] = names;
  const last = names.at(-1) ?? "";
  if (kind !== type || first === "" || last === "") return null;
  if (type === "assumed-role" && names.length !== 2) return null;
  if (type === "federated-user" && names.length !== 1) return null;
  return { first, last };
}

/** Returns whether `text` is an account id: twelve digits. */
export function isAccount(text: string): boolean {
  return /^[0-9]{12}$/.test(text);
}

function isPath(text: string): boolean {
  return text === "/" || /^\/.+\/$/.test(text);
}

function requiredText(fields: Fields, name: string): string | null {
  const place = fields.require(name);
  return place === null ? null : textOf(place);
}

function optionalText(fields: Fields, name: string): string | null {
  const place = fields.get(name);
  return place === null ? null : textOf(place);
}
