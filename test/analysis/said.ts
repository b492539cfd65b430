// SPDX-License-Identifier: GPL-2.0-only
import { heldLines } from "../../server/report/held.ts";
import { parseRelease } from "../../server/kernel/release.ts";
import { heldInFile } from "../../server/review/held.ts";

/** Reads C in which `//?` marks the lines that are asked about; gives what is said of them, in order. */
export function said(code: string, release = "6.1"): readonly string[] {
  const version = parseRelease(release);
  if (!version) throw new Error(release);
  const held = heldInFile("mm/x.c", code, version);
  return code.split("\n").flatMap((row, index) => {
    if (!row.includes("//?")) return [];
    const here = held.at(index + 1);
    return [here === null ? "no code" : heldLines({ ...here, callersKnown: true }).join("; ")];
  });
}
