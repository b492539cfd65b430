// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { documentSelector } from "../../extension/selector.ts";

describe("documentSelector", () => {
  it("takes no twin of a diff view", () => {
    expect(new Set(documentSelector.map((filter) => filter.scheme))).toEqual(new Set(["file", "untitled", "vscode-vfs"]));
  });

  it("limits C by path and patches by nothing", () => {
    for (const filter of documentSelector) {
      expect(filter.pattern === undefined).toBe(filter.language === "diff");
    }
  });
});
