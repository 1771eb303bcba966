import type { Loaded, Problem } from "../../iam/problem.ts";
import { type ControlPlaneConfig, controlPlaneSettings } from "./control-plane-schema.ts";
import { refusal } from "./layer.ts";
import { build, type ConfigInput, readLayers } from "./load.ts";

/** Returns the control plane's configuration, or every problem of every layer; as `loadConfig` does. */
export function loadControlPlaneConfig(input: ConfigInput): Loaded<ControlPlaneConfig> {
  const problems: Problem[] = [];
  const findings: Problem[] = [];
  const layers = readLayers(input, controlPlaneSettings, problems, findings);
  const given = new Map(layers.flatMap((layer) => [...layer]));
  const value = build(controlPlaneSettings, given, "", new Set()) as ControlPlaneConfig;
  const { certFile, keyFile, clientCaFile } = value.tls;
  if ((certFile === null) !== (keyFile === null)) {
    const missing = certFile === null ? "tls.certFile" : "tls.keyFile";
    const message = "expected `tls.certFile` and `tls.keyFile` together";
    problems.push(refusal("MISSING", missing, message));
  }
  if (clientCaFile !== null && certFile === null) {
    const message = "expected a certificate, since `tls.clientCaFile` is given";
    problems.push(refusal("MISSING", "tls.certFile", message));
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value, findings };
}
