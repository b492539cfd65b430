// SPDX-License-Identifier: GPL-2.0-only
import type { Connection } from "vscode-languageserver/node";
import { TRUST_GRANTED } from "../protocol.ts";
import type { Client } from "./client.ts";

/** Whether the user trusts the workspace. Until the client says so, nobody does. */
export interface Trust {
  readonly isTrusted: () => boolean;
}

/** `onGranted` is called when the user decides to trust the workspace. Trust never ends while the server runs. */
export function trustOf(connection: Connection, client: Client, onGranted: () => void): Trust {
  let isTrusted = client.isTrusted;
  connection.onNotification(TRUST_GRANTED, () => {
    if (isTrusted) return;
    isTrusted = true;
    onGranted();
  });
  return { isTrusted: () => isTrusted };
}
