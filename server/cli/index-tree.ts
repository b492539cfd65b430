// SPDX-License-Identifier: GPL-2.0-only
import { decodeOutline } from "../analysis/tree-entry.ts";
import { indexOf } from "../analysis/tree-index.ts";
import { visibleLine } from "../report/visible.ts";
import { indexArguments } from "./arguments.ts";
import { EXIT, openSink, type CliIo } from "./io.ts";
import { startProgress } from "./progress.ts";
import { complainAboutTree, openTree } from "./tree.ts";

/** `patchwalk index TREE [PATH]...`: builds or refreshes what is kept about the files of a tree. */
export async function indexTree(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = indexArguments(argv);
  if ("error" in parsed) {
    io.stderr.write(`patchwalk: ${visibleLine(parsed.error)}; see patchwalk --help\n`);
    return EXIT.unusable;
  }
  const progress = startProgress(io, "files indexed");
  const tree = await openTree(parsed.value, io, progress);
  progress.clear();
  if ("reason" in tree) {
    complainAboutTree("", [{ path: parsed.value.tree, reason: tree.reason }], io);
    return EXIT.unusable;
  }
  complainAboutTree(parsed.value.tree, tree.problems, io);
  const { functions, calls } = indexOf(
    tree.files.flatMap(({ path, outline }) => {
      const decoded = decodeOutline(outline);
      return decoded ? [{ path, outline: decoded }] : [];
    }),
  );
  const changed = tree.files.length - tree.fromStore;
  await openSink(io.stdout).write(`patchwalk: ${tree.files.length} files (${changed} new or changed), ${functions} functions, ${calls} calls\n`);
  return tree.problems.length > 0 ? EXIT.unusable : EXIT.clean;
}
