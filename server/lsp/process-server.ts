// SPDX-License-Identifier: GPL-2.0-only
import { createConnection, ProposedFeatures } from "vscode-languageserver/node";
import { startServer } from "./server.ts";
import type { ServerParts } from "./server.ts";

/** Serves the client that the arguments of this process name (`--stdio`, `--node-ipc`, `--socket=`, `--pipe=`). */
export function startProcessServer(parts: ServerParts): void {
  startServer(createConnection(ProposedFeatures.all), parts);
}
