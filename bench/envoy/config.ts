/*
 * Envoy as performance 1.14, table B, has it: one process, one worker, a listener for each way that a
 * request can take, each answered by Envoy itself (`direct_response`), so that nothing but the way in
 * front differs. No access log.
 */

export interface Way {
  readonly name: string;
  /** The authorizer's Unix socket; null: nobody is asked. */
  readonly socket: string | null;
}

const type = "type.googleapis.com/envoy.extensions";

/** Returns the configuration of `ways`; ports are chosen by the system. */
export function envoyConfig(ways: readonly Way[]): object {
  return {
    node: { id: "mesh-iam-bench", cluster: "bench" },
    admin: { address: address("127.0.0.1", 0) },
    static_resources: {
      listeners: ways.map(listener),
      clusters: ways.flatMap((way) => (way.socket === null ? [] : [cluster(way.name, way.socket)])),
    },
  };
}

function listener(way: Way): object {
  const filters = way.socket === null ? [] : [extAuthz(way.name)];
  const manager = {
    "@type": `${type}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: way.name,
    codec_type: "HTTP1",
    http_filters: [
      ...filters,
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": `${type}.filters.http.router.v3.Router` },
      },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            {
              match: { prefix: "/" },
              direct_response: { status: 200, body: { inline_string: "ok" } },
            },
          ],
        },
      ],
    },
  };
  return {
    name: way.name,
    address: address("127.0.0.1", 0),
    filter_chains: [
      {
        filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }],
      },
    ],
  };
}

/** The filter as our samples configure it, but for the form of headers, which was found to be a tie. */
function extAuthz(clusterName: string): object {
  return {
    name: "envoy.filters.http.ext_authz",
    typed_config: {
      "@type": `${type}.filters.http.ext_authz.v3.ExtAuthz`,
      transport_api_version: "V3",
      failure_mode_allow: false,
      status_on_error: { code: "ServiceUnavailable" },
      validate_mutations: true,
      include_peer_certificate: true,
      include_tls_session: true,
      grpc_service: { timeout: "0.25s", envoy_grpc: { cluster_name: clusterName } },
    },
  };
}

function cluster(name: string, socket: string): object {
  return {
    name,
    type: "STATIC",
    connect_timeout: "0.25s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": `${type}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }],
    },
  };
}

function address(host: string, port: number): object {
  return { socket_address: { address: host, port_value: port } };
}
