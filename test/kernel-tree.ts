// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { releaseOfMakefile } from "../server/source/tree-release.ts";

/** Set it to a kernel tree to measure how much of its mm/ is read; `test/kernel-trees.sh` does. */
export const tree = process.env["PATCHWALK_KERNEL_TREE"] ?? "";

export const hasTree = tree !== "" && existsSync(join(tree, "mm/memory.c")) && existsSync(join(tree, "Makefile"));

/** The release that the tree says it is, as `6.1.192`; "" without a tree. */
export const treeRelease = hasTree ? (releaseOfMakefile(readFileSync(join(tree, "Makefile"), "utf8")) ?? "") : "";

/** The C of mm/ with its paths from the tree's root. */
export function* filesOfMm(): Generator<{ readonly path: string; readonly text: string }> {
  for (const name of readdirSync(join(tree, "mm"), { recursive: true, encoding: "utf8" }).toSorted())
    if (/\.[ch]$/.test(name)) yield { path: `mm/${name}`, text: readFileSync(join(tree, "mm", name), "utf8") };
}
