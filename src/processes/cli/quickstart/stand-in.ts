import { MeshIamError } from "../../../iam/error.ts";
import type { RunningEnvoy } from "./envoy.ts";
import type { Workspace } from "./workspace.ts";

export async function startStandIn(
  _workspace: Workspace,
  _upstreamPort: number,
): Promise<RunningEnvoy> {
  throw new MeshIamError("envoy-missing", "the stand-in is not built yet");
}
