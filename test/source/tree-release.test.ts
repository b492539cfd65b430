// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { releaseOfMakefile } from "../../server/source/tree-release.ts";

test.each([
  ["VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 192\nEXTRAVERSION =\n", "6.1.192"],
  ["# a comment\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc3\n", "6.12"],
  ["VERSION=5\nPATCHLEVEL=10\n", "5.10"],
  ["PATCHLEVEL = 1\n", null],
  ["all:\n\techo VERSION = 6\n", null],
  ["", null],
])("%j", (makefile, release) => {
  expect(releaseOfMakefile(makefile)).toBe(release);
});
