/** What is behind the quickstart's Envoy, and the files it reads. */
export interface EnvoyLayout {
  readonly upstreamPort: number;
  /** The authorizer's Unix socket. */
  readonly authorizerSocket: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCa: string;
  readonly accessLog: string;
}

const typeUrl = (name: string): string => `type.googleapis.com/envoy.${name}`;

/**
 * Returns the quickstart's Envoy bootstrap: a clear-text and an mTLS listener in front of one upstream,
 * with mesh-iam as external authorizer on a Unix socket. The system chooses the ports. The filter
 * settings are the strict ones we recommend; Envoy's own path normalisation is left off, so that the
 * table shows mesh-iam itself refusing ambiguous paths (envoy-ext-authz 8.2, 4.6).
 */
export function envoyConfig(layout: EnvoyLayout): object {
  return {
    node: { id: "quickstart", cluster: "quickstart" },
    admin: { address: socket(0) },
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: {
            "@type": typeUrl(
              "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            ),
            max_active_downstream_connections: 1024,
          },
        },
      ],
    },
    static_resources: {
      listeners: [listener("http", layout), listener("tls", layout)],
      clusters: [
        cluster("mesh_iam", { pipe: { path: layout.authorizerSocket } }),
        cluster("app", socket(layout.upstreamPort)),
      ],
    },
  };
}

function listener(name: "http" | "tls", layout: EnvoyLayout): object {
  return {
    name,
    address: socket(0),
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: connectionManager(name, layout),
          },
        ],
        ...(name === "tls" ? { transport_socket: mutualTls(layout) } : {}),
      },
    ],
  };
}

function connectionManager(name: string, layout: EnvoyLayout): object {
  return {
    "@type": typeUrl("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: name,
    codec_type: "AUTO",
    use_remote_address: true,
    forward_client_cert_details: "SANITIZE_SET",
    set_current_client_cert_details: { uri: true },
    common_http_protocol_options: { headers_with_underscores_action: "REJECT_REQUEST" },
    access_log: [
      {
        name: "envoy.access_loggers.file",
        typed_config: {
          "@type": typeUrl("extensions.access_loggers.file.v3.FileAccessLog"),
          path: layout.accessLog,
          log_format: { json_format: accessLogFields },
        },
      },
    ],
    http_filters: [
      { name: "envoy.filters.http.ext_authz", typed_config: externalAuthorization },
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": typeUrl("extensions.filters.http.router.v3.Router") },
      },
    ],
    route_config: {
      name: "local",
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "app", timeout: "10s" } }],
        },
      ],
    },
  };
}

const accessLogFields = {
  status: "%RESPONSE_CODE%",
  details: "%RESPONSE_CODE_DETAILS%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(:PATH)%",
  decision: "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:decision)%",
  reason: "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:reason)%",
  principal: "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:principal_arn)%",
  decision_id: "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:decision_id)%",
};

const externalAuthorization = {
  "@type": typeUrl("extensions.filters.http.ext_authz.v3.ExtAuthz"),
  transport_api_version: "V3",
  failure_mode_allow: false,
  status_on_error: { code: "ServiceUnavailable" },
  validate_mutations: true,
  include_peer_certificate: true,
  include_tls_session: true,
  encode_raw_headers: true,
  decoder_header_mutation_rules: {
    allow_expression: { regex: "^(x[-_]mesh[-_]iam[-_].*|authorization|x-amz-.*)$" },
    disallow_all: true,
    disallow_is_error: true,
  },
  grpc_service: {
    // Patient, for everything shares one busy machine here; a sidecar's own limit is 250 ms.
    timeout: "5s",
    envoy_grpc: { cluster_name: "mesh_iam", authority: "mesh-iam.local" },
    retry_policy: {
      num_retries: 1,
      // The base is a second by default, past the timeout; the greatest interval bounds each try too.
      retry_back_off: { base_interval: "0.01s", max_interval: "2s" },
      retry_on: "connect-failure,refused-stream,reset,unavailable",
    },
  },
};

function mutualTls(layout: EnvoyLayout): object {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": typeUrl("extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      require_client_certificate: true,
      common_tls_context: {
        alpn_protocols: ["h2", "http/1.1"],
        tls_certificates: [
          {
            certificate_chain: { filename: layout.serverCertificate },
            private_key: { filename: layout.serverKey },
          },
        ],
        validation_context: { trusted_ca: { filename: layout.clientCa } },
      },
    },
  };
}

function cluster(name: string, address: object): object {
  return {
    name,
    type: "STATIC",
    connect_timeout: "2s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": typeUrl("extensions.upstreams.http.v3.HttpProtocolOptions"),
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    },
  };
}

function socket(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}
