/**
 * The two Envoy configurations of the suite, as parameters (envoy-ext-authz 8.2): `strictConfig`,
 * what our samples ship, and `istioConfig`, what Istio renders around a CUSTOM policy.
 */

export interface ConfigOptions {
  /** The folder of this run: access log, sockets. */
  readonly runDir: string;
  /** Each as `Listener.start` tells it: `host:port`, a socket's path, `@name`. One endpoint each. */
  readonly authorizers: readonly string[];
  /** `host:port` of the application, HTTP/1.1, and of its gRPC side. */
  readonly upstream: { readonly http1: string; readonly http2: string };
  /** `context_extensions` of the virtual host. Strict only: Istio sends none. */
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly tls?: DownstreamTls;
  /** Laid over the ext_authz filter's configuration; null removes a field. */
  readonly filter?: Record<string, unknown>;
  /** Laid over the connection manager's; null removes a field. */
  readonly connectionManager?: Record<string, unknown>;
  /** Laid over the authorizer's cluster; null removes a field. */
  readonly cluster?: Record<string, unknown>;
  /** Routes before the two that reach the application. */
  readonly routes?: readonly Record<string, unknown>[];
  /** Default `0.25s`. */
  readonly timeout?: string;
}

/** PEM texts of the downstream side. */
export interface DownstreamTls {
  readonly certificate: string;
  readonly privateKey: string;
  /** Absent: no client certificate is asked for. */
  readonly clientAuthorities?: string;
  /** Default: a certificate may be shown. */
  readonly requireClientCertificate?: boolean;
}

export type EnvoyConfig = Readonly<Record<string, unknown>>;

const type = "type.googleapis.com/envoy.";

/** The hardened shape: raw headers, validated mutations, mutation rules, one retry, health checks. */
export function strictConfig(options: ConfigOptions): EnvoyConfig {
  const filter = {
    transport_api_version: "V3",
    stat_prefix: "mesh_iam",
    failure_mode_allow: false,
    status_on_error: { code: "ServiceUnavailable" },
    validate_mutations: true,
    clear_route_cache: false,
    include_peer_certificate: true,
    include_tls_session: true,
    encode_raw_headers: true,
    emit_filter_state_stats: true,
    max_denied_response_body_bytes: 8192,
    decoder_header_mutation_rules: {
      allow_expression: { regex: "^(x[-_]mesh[-_]iam[-_].*|authorization|x-amz-.*)$" },
      disallow_all: true,
      disallow_is_error: true,
    },
    disallowed_headers: { patterns: [{ exact: "cookie", ignore_case: true }] },
    grpc_service: {
      ...grpcService(options),
      initial_metadata: [{ key: "x-mesh-iam-listener", value: "ingress" }],
      retry_policy: {
        num_retries: 1,
        retry_back_off: retryBackOff(options),
        retry_on: "connect-failure,refused-stream,reset,unavailable",
      },
    },
  };
  const connectionManager = {
    use_remote_address: true,
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: "REJECT_REQUEST",
    strip_any_host_port: true,
    strip_trailing_host_dot: true,
    forward_client_cert_details: "SANITIZE_SET",
    set_current_client_cert_details: { uri: true, dns: true },
    common_http_protocol_options: { headers_with_underscores_action: "REJECT_REQUEST" },
    upgrade_configs: [{ upgrade_type: "websocket" }],
  };
  return bootstrap(options, connectionManager, [extAuthz(options, filter)], {
    health_checks: [
      {
        timeout: "1s",
        interval: "0.2s",
        no_traffic_interval: "0.2s",
        unhealthy_threshold: 1,
        healthy_threshold: 1,
        grpc_health_check: { service_name: "envoy.service.auth.v3.Authorization" },
      },
    ],
  });
}

/** Istio's shape: joined headers, nothing validated, no retry, the filter behind a shadow RBAC. */
export function istioConfig(options: ConfigOptions): EnvoyConfig {
  const shadow = {
    name: "envoy.filters.http.rbac",
    typed_config: {
      "@type": `${type}extensions.filters.http.rbac.v3.RBAC`,
      shadow_rules_stat_prefix: "istio_ext_authz_",
      shadow_rules: {
        action: "DENY",
        policies: {
          "istio-ext-authz-mesh-iam-local-ns[orders]-policy[mesh-iam]-rule[0]": {
            permissions: [{ any: true }],
            principals: [{ any: true }],
          },
        },
      },
    },
  };
  const filter = {
    transport_api_version: "V3",
    failure_mode_allow: false,
    status_on_error: { code: "ServiceUnavailable" },
    filter_enabled_metadata: {
      filter: "envoy.filters.http.rbac",
      path: [{ key: "istio_ext_authz_shadow_effective_policy_id" }],
      value: { string_match: { prefix: "istio-ext-authz" } },
    },
    grpc_service: grpcService(options),
  };
  const connectionManager = {
    use_remote_address: true,
    normalize_path: true,
    merge_slashes: false,
    path_with_escaped_slashes_action: "KEEP_UNCHANGED",
    forward_client_cert_details: "APPEND_FORWARD",
    set_current_client_cert_details: { subject: true, uri: true, dns: true },
    upgrade_configs: [{ upgrade_type: "websocket" }],
  };
  const { contextExtensions: _, ...rest } = options;
  return bootstrap(rest, connectionManager, [shadow, extAuthz(options, filter)], {});
}

/** A TCP listener with the network filter: its Checks have no `request`. */
export function tcpConfig(options: ConfigOptions): EnvoyConfig {
  const filters = [
    {
      name: "envoy.filters.network.ext_authz",
      typed_config: {
        "@type": `${type}extensions.filters.network.ext_authz.v3.ExtAuthz`,
        stat_prefix: "mesh_iam",
        transport_api_version: "V3",
        grpc_service: grpcService(options),
      },
    },
    {
      name: "envoy.filters.network.tcp_proxy",
      typed_config: {
        "@type": `${type}extensions.filters.network.tcp_proxy.v3.TcpProxy`,
        stat_prefix: "app",
        cluster: "app",
      },
    },
  ];
  return resources(options, filters, {});
}

/**
 * Two fields with a second meaning (Envoy 1.40.0): the base interval is a second by default, so that no
 * retry would come before the check's timeout; and the greatest interval also bounds each single try,
 * which must not end before the authorizer's own deadline.
 */
function retryBackOff(options: ConfigOptions): Record<string, unknown> {
  return { base_interval: "0.01s", max_interval: options.timeout ?? defaultTimeout };
}

const defaultTimeout = "0.25s";

function grpcService(options: ConfigOptions): Record<string, unknown> {
  return {
    timeout: options.timeout ?? defaultTimeout,
    envoy_grpc: { cluster_name: "mesh_iam", authority: "mesh-iam.local" },
  };
}

function extAuthz(options: ConfigOptions, filter: Record<string, unknown>) {
  return {
    name: "envoy.filters.http.ext_authz",
    typed_config: {
      "@type": `${type}extensions.filters.http.ext_authz.v3.ExtAuthz`,
      ...overlaid(filter, options.filter),
    },
  };
}

function overlaid(
  base: Record<string, unknown>,
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...base, ...over }).filter(([, v]) => v !== null));
}

function bootstrap(
  options: ConfigOptions,
  connectionManager: Record<string, unknown>,
  filters: readonly unknown[],
  cluster: Record<string, unknown>,
): EnvoyConfig {
  const virtualHost = {
    name: "app",
    domains: ["*"],
    ...(options.contextExtensions === undefined
      ? {}
      : { typed_per_filter_config: checkSettings(options.contextExtensions) }),
    routes: [
      ...(options.routes ?? []),
      { match: { prefix: "/", grpc: {} }, route: { cluster: "app_grpc", timeout: "5s" } },
      { match: { prefix: "/" }, route: { cluster: "app", timeout: "5s" } },
    ],
  };
  const manager = {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": `${type}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: "ingress",
      codec_type: "AUTO",
      access_log: [accessLog(options.runDir)],
      ...overlaid(connectionManager, options.connectionManager),
      http_filters: [
        ...filters,
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": `${type}extensions.filters.http.router.v3.Router` },
        },
      ],
      route_config: { name: "local", virtual_hosts: [virtualHost] },
    },
  };
  return resources(options, [manager], cluster);
}

/** Returns per-route configuration that adds `context_extensions` to a Check. */
export function checkSettings(contextExtensions: Readonly<Record<string, string>>) {
  return perRoute({ check_settings: { context_extensions: contextExtensions } });
}

/** Returns per-route configuration that skips the filter. */
export function filterDisabled() {
  return perRoute({ disabled: true });
}

function perRoute(settings: Record<string, unknown>) {
  return {
    "envoy.filters.http.ext_authz": {
      "@type": `${type}extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute`,
      ...settings,
    },
  };
}

function accessLog(runDir: string) {
  const metadata = (key: string) => `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:${key})%`;
  return {
    name: "envoy.access_loggers.file",
    typed_config: {
      "@type": `${type}extensions.access_loggers.file.v3.FileAccessLog`,
      path: `${runDir}/access.log`,
      log_format: {
        json_format: {
          status: "%RESPONSE_CODE%",
          details: "%RESPONSE_CODE_DETAILS%",
          flags: "%RESPONSE_FLAGS%",
          method: "%REQ(:METHOD)%",
          path: "%REQ(:PATH)%",
          decision: metadata("decision"),
          reason: metadata("reason"),
          principal: metadata("principal_arn"),
          account: metadata("account"),
          action: metadata("action"),
          resource: metadata("resource"),
          policy_id: metadata("policy_id"),
          cache: metadata("cache"),
          bundle_revision: metadata("bundle_revision"),
          decision_id: metadata("decision_id"),
          mode: metadata("mode"),
          shadow_decision: metadata("shadow_decision"),
          shadow_reason: metadata("shadow_reason"),
          authz_ms: metadata("ext_authz_duration"),
          authz_us: "%FILTER_STATE(envoy.filters.http.ext_authz:FIELD:latency_us)%",
        },
      },
    },
  };
}

function resources(
  options: ConfigOptions,
  filters: readonly unknown[],
  cluster: Record<string, unknown>,
): EnvoyConfig {
  const { tls } = options;
  return {
    node: { id: "mesh-iam-e2e", cluster: "e2e-cluster" },
    // Port 0: the system chooses, and the harness asks which it was.
    admin: { address: socketAddress("127.0.0.1:0") },
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: {
            "@type": `${type}extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig`,
            max_active_downstream_connections: 8192,
          },
        },
      ],
    },
    static_resources: {
      listeners: [
        {
          name: "ingress",
          address: socketAddress("127.0.0.1:0"),
          filter_chains: [
            { filters, ...(tls === undefined ? {} : { transport_socket: downstreamTls(tls) }) },
          ],
        },
      ],
      clusters: [
        overlaid(
          {
            name: "mesh_iam",
            type: "STATIC",
            connect_timeout: "0.25s",
            typed_extension_protocol_options: http2Options({
              connection_keepalive: { interval: "10s", timeout: "2s" },
            }),
            circuit_breakers: {
              thresholds: [
                {
                  max_requests: 8192,
                  max_pending_requests: 8192,
                  max_connections: 1024,
                  max_retries: 64,
                },
              ],
            },
            ...cluster,
            load_assignment: loadAssignment("mesh_iam", options.authorizers),
          },
          options.cluster,
        ),
        {
          name: "app",
          type: "STATIC",
          connect_timeout: "0.25s",
          load_assignment: loadAssignment("app", [options.upstream.http1]),
        },
        {
          name: "app_grpc",
          type: "STATIC",
          connect_timeout: "0.25s",
          typed_extension_protocol_options: http2Options({}),
          load_assignment: loadAssignment("app_grpc", [options.upstream.http2]),
        },
      ],
    },
  };
}

/** Returns a cluster's `typed_extension_protocol_options` for HTTP/2 with `options`. */
export function http2Options(options: Record<string, unknown>): Record<string, unknown> {
  return {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": `${type}extensions.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: options },
    },
  };
}

function loadAssignment(name: string, addresses: readonly string[]) {
  return {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: addresses.map((address) => ({
          endpoint: { address: socketAddress(address) },
        })),
      },
    ],
  };
}

function socketAddress(address: string) {
  if (address.startsWith("/") || address.startsWith("@")) return { pipe: { path: address } };
  const colon = address.lastIndexOf(":");
  return {
    socket_address: {
      address: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"),
      port_value: Number(address.slice(colon + 1)),
    },
  };
}

function downstreamTls(tls: DownstreamTls) {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `${type}extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
      require_client_certificate: tls.requireClientCertificate ?? false,
      common_tls_context: {
        alpn_protocols: ["h2", "http/1.1"],
        tls_certificates: [
          {
            certificate_chain: { inline_string: tls.certificate },
            private_key: { inline_string: tls.privateKey },
          },
        ],
        ...(tls.clientAuthorities === undefined
          ? {}
          : { validation_context: { trusted_ca: { inline_string: tls.clientAuthorities } } }),
      },
    },
  };
}
