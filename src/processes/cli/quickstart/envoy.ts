import { join } from "node:path";
import { type EnvoyLayout, envoyConfig } from "./envoy-config.ts";
import { launchEnvoy } from "./envoy-process.ts";

/** What stands in front of the sample application, on loopback. */
export interface RunningProxy {
  readonly httpPort: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

/**
 * Returns the Envoy at `binary`, ready. Its configuration and logs are in `folder`.
 *
 * Throws `quickstart-failed` with Envoy's last words if it does not get ready, and the reason of
 * `signal` once that is aborted. No process is left then.
 */
export async function startEnvoy(
  binary: string,
  folder: string,
  layout: Omit<EnvoyLayout, "accessLog">,
  signal: AbortSignal,
): Promise<RunningProxy> {
  const config = envoyConfig({ ...layout, accessLog: join(folder, "access.jsonl") });
  const envoy = await launchEnvoy({ binary, folder, config, concurrency: 1, signal });
  const portOf = (name: "http" | "tls") => Number(envoy.addresses.get(name)?.split(":").at(-1));
  return { httpPort: portOf("http"), tlsPort: portOf("tls"), stop: envoy.stop };
}
