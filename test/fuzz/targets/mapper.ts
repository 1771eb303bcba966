import { attributesOf } from "../../../src/domain/request/attributes-of.ts";
import { isDenied } from "../../../src/domain/request/denied.ts";
import { resolve } from "../../../src/domain/request/resolve.ts";
import { createRouteMap } from "../../../src/domain/request/route-map.ts";
import { createServiceTable, selectService } from "../../../src/domain/request/service-table.ts";
import { routeOf, serviceOf } from "../../fakes/service-of.ts";
import { bytesOf, must, pieces, type Target } from "../target.ts";

const orders = serviceOf({
  hosts: ["orders.example.com"],
  cors: true,
  request: { methodOverride: "both" },
  routes: [
    routeOf("GET /orders/{id}", { resource: "order/{id}" }),
    routeOf("DELETE /orders/{id}", { action: "Delete", resource: "order/{id}" }),
    routeOf("GET /files/{path=**}", { action: "File", resource: "file/{path}" }),
    routeOf("pkg.Svc/Method", { action: "Call", resource: "rpc" }),
  ],
});
const stock = serviceOf({ ...orders, name: "stock", tags: {}, hosts: ["stock.example.com"] });
const table = createServiceTable(
  [orders, stock].map((definition) => ({
    definition,
    routes: createRouteMap(definition, "aws", "eu-west-1"),
  })),
);
const known = new Set([
  "orders:Act",
  "orders:Delete",
  "orders:File",
  "orders:Call",
  "mesh:Connect",
]);

/** FUZ-08: from method, target, host and headers to an action on a resource, or a denial. */
export const mapper: Target = {
  name: "mapper",
  id: "FUZ-08",
  about: "method, target, host, content type, origin, override header, with zero bytes between",
  words: ["GET", "POST", "OPTIONS", "CONNECT", "/orders/", "/files/", "/pkg.Svc/Method", "%2f"],
  seeds: () => [
    bytesOf("GET\0/orders/1?a=1\0orders.example.com\0\0\0"),
    bytesOf("POST\0/pkg.Svc/Method\0STOCK.example.com.:80\0application/grpc\0\0"),
    bytesOf("OPTIONS\0/orders/1\0orders.example.com\0\0https://a.example\0"),
    bytesOf("GET\0/files/a/b/\0orders.example.com\0\0\0DELETE"),
    bytesOf("CONNECT\0\0a.example:443\0\0\0"),
  ],
  fuzz(data) {
    const [method = "", path = "", host = "", type = "", origin = "", override = ""] = pieces(
      data,
      6,
    ).map((piece) => Buffer.from(piece).toString("latin1"));
    const headers = {
      ...(type !== "" && { "content-type": type }),
      ...(origin !== "" && { origin, "access-control-request-method": method }),
      ...(override !== "" && { "x-http-method-override": override }),
    };
    const attributes = attributesOf({ method, path, host, headers });
    const service = selectService(table, attributes);
    if (isDenied(service)) return;
    const resolved = resolve(service, attributes);
    if (isDenied(resolved)) return;
    const action = resolved.action.replace(/^stock:/, "orders:");
    must(known.has(action), `an action of the routes, not ${resolved.action}`);
    const { account, region, partition } = resolved.resource;
    must(account === orders.account && region === "eu-west-1" && partition === "aws", "our ARN");
  },
};
