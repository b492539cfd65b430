// SPDX-License-Identifier: GPL-2.0-only
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENGINE } from "../../server/cli/engine.ts";
import type { Finding } from "../../server/review/finding.ts";
import { emptyFolder, writeFiles, type Files } from "../git-tree.ts";
import { seriesMails, type Step } from "../series-mails.ts";
import { patchwalk } from "./run-command.ts";
import { MAKEFILE } from "./toy-scan.ts";

interface Input {
  readonly path: string;
  readonly series: { readonly index: number; readonly version: number } | null;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  readonly findings: readonly Finding[];
}

const FILE = "mm/toy.c";

const file = (helper: string, body: string): string => `// SPDX-License-Identifier: GPL-2.0
${helper}
int toy_fill(struct toy *toy, struct mm_struct *mm)
{
	toy_trace("fill");
${body}	return 0;
}
`;

const HELPER = "\nstatic void toy_lock(struct toy *toy, struct mm_struct *mm)\n{\n\ttoy->locked++;\n\tmmap_read_lock(mm);\n}\n\nint toy_a;\nint toy_b;\nint toy_c;\nint toy_d;\nint toy_e;\nint toy_f;\nint toy_g;\n";
const BAD = "\ttoy_lock(toy, mm);\n\tif (toy->frozen)\n\t\treturn -EBUSY;\n\tmmap_read_unlock(mm);\n";
const GOOD = "\ttoy_lock(toy, mm);\n\tif (toy->frozen) {\n\t\tmmap_read_unlock(mm);\n\t\treturn -EBUSY;\n\t}\n\tmmap_read_unlock(mm);\n";

const START: Files = { Makefile: MAKEFILE, [FILE]: file("", "") };

const steps = (...states: readonly string[]): readonly Step[] => states.map((text, index) => ({ title: `mm: step ${index + 1}`, files: { [FILE]: text } }));

/** Adds the helper, uses it badly, mends that. */
const mails = (...options: readonly string[]): readonly string[] => seriesMails(START, steps(file(HELPER, ""), file(HELPER, BAD), file(HELPER, GOOD)), ...options);

async function lint(names: readonly string[], options: readonly string[] = []): Promise<readonly Input[]> {
  const { out, err } = await patchwalk(["lint", "--format", "json", "--release", "6.6", ...options, ...names], { engine: ENGINE });
  expect(err).toBe("");
  return (JSON.parse(out) as { inputs: readonly Input[] }).inputs;
}

const told = (inputs: readonly Input[]) => inputs.flatMap(({ series, findings }) => findings.map((one) =>
  `v${series?.version} ${series?.index} ${one.function} ${one.ruleId} ${one.tier}${one.fixedBy ? ` fixed by ${one.fixedBy.number}/${one.fixedBy.total}` : ""}`)).toSorted();

const EXPECTED = ["v1 2 toy_fill lock-imbalance proved fixed by 3/3"];

/** Files in a folder of their own, as paths. */
function filesOf(texts: Readonly<Record<string, string>>): readonly string[] {
  const folder = emptyFolder();
  writeFiles(folder, texts);
  return Object.keys(texts).map((name) => join(folder, name));
}

const named = (all: readonly string[], prefix = ""): Record<string, string> => Object.fromEntries(all.map((text, index) => [`${prefix}000${index + 1}-step.patch`, text]));

const permutations = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  all.length <= 1 ? [all] : all.flatMap((one, index) => permutations([...all.slice(0, index), ...all.slice(index + 1)]).map((rest) => [one, ...rest]));

describe("a series in several files", () => {
  test.each<readonly [string, readonly string[]]>([["of a format-patch run", []], ["of a thread", ["--thread"]], ["with a cover letter", ["--thread", "--cover-letter"]]])("%s, in any order", async (_, options) => {
    const all = mails(...options.filter((one) => one !== "--cover-letter"));
    const paths = filesOf(named(all));
    for (const order of permutations(paths)) {
      const inputs = await lint(order);
      expect(told(inputs)).toEqual(EXPECTED);
      expect(inputs.map(({ path }) => path)).toEqual(order);
    }
  });

  test("the place in the earlier mail is a line of that file", async () => {
    const all = mails();
    const paths = filesOf(named(all));
    const [finding] = (await lint(paths)).flatMap(({ findings }) => findings);
    const [place] = finding?.related ?? [];
    expect([place?.document, all[0]?.split("\n")[(place?.patchLine ?? 0) - 1]]).toEqual([paths[0], "+\tmmap_read_lock(mm);"]);
    const { out } = await patchwalk(["lint", "--release", "6.6", ...paths], { engine: ENGINE });
    expect(out).toContain(`${paths[0]}:${place?.patchLine}: note: mmap_lock of mm taken here\n`);
    expect(out).toContain('  series     fixed by 3/3 "mm: step 3"\n');
  });

  test("a maildir", async () => {
    const [one = "", two = "", three = ""] = mails("--thread");
    const [first = ""] = filesOf({ "box/cur/1700000002.M1P1.host:2,S": one, "box/new/1700000001.M1P1.host": three, "box/cur/1700000003.M1P1.host:2,": two });
    expect(told(await lint([join(first, "../..")]))).toEqual(EXPECTED);
  });

  test("a mailbox in any order; lines are those of the mailbox", async () => {
    const all = mails("--thread");
    for (const order of permutations(all)) {
      const [box = ""] = filesOf({ "series.mbox": order.join("") });
      const inputs = await lint([box]);
      expect(told(inputs)).toEqual(EXPECTED);
      const [place] = inputs.flatMap(({ findings }) => findings)[0]?.related ?? [];
      expect([place?.document, order.join("").split("\n")[(place?.patchLine ?? 0) - 1]]).toEqual([undefined, "+\tmmap_read_lock(mm);"]);
    }
  });

  test("a missing patch is said once, and what rests on those before it is no proof", async () => {
    const [one = "", two = ""] = filesOf(named(mails()));
    const inputs = await lint([two, one]);
    expect(told(inputs)).toEqual(["v1 2 toy_fill lock-imbalance proved"]);
    expect(inputs.flatMap(({ problems }) => problems.filter(({ code }) => code === "patch-missing").map(({ message }) => message))).toEqual(["of the 3 patches of v1, 3 is not here"]);
    const [first = "", , third = ""] = filesOf(named(seriesMails(START, steps(file(HELPER, ""), file(HELPER, "\ttoy->count++;\n"), file(HELPER, `\ttoy->count++;\n${BAD}`)))));
    expect(told(await lint([first, third]))).toEqual(["v1 3 toy_fill lock-imbalance contract"]);
    expect(told(await lint([third]))).toEqual([]);
  });

  test("two versions do not mix", async () => {
    const good = seriesMails(START, steps(file(HELPER.replace("\tmmap_read_lock(mm);\n", ""), ""), file(HELPER.replace("\tmmap_read_lock(mm);\n", ""), BAD), file(HELPER, GOOD)), "-v2", "--thread");
    const bad = mails("--thread");
    for (const order of [[...bad, ...good], [...good, ...bad], [bad[1], good[0], good[1], bad[0], good[2], bad[2]]]) {
      const [box = ""] = filesOf({ "both.mbox": order.join("") });
      expect(told(await lint([box])).filter((one) => one.startsWith("v1"))).toEqual(EXPECTED);
      expect(told(await lint([box])).filter((one) => one.startsWith("v2") && one.includes("held"))).toEqual([]);
    }
  });

  test("series of one length in one folder that nothing tells apart stay apart", async () => {
    const others = seriesMails(START, steps(file("\nint toy_z;\n", ""), file("\nint toy_y;\n", ""), file("\nint toy_x;\n", "")).map((one) => ({ ...one, title: `${one.title} of another` })));
    const inputs = await lint(filesOf({ ...named(mails()), ...Object.fromEntries(others.map((text, index) => [`000${index + 1}-other.patch`, text])) }));
    expect(told(inputs)).toEqual([]);
  });

  test("with a tree", async () => {
    const folder = emptyFolder();
    writeFiles(folder, START);
    const paths = filesOf(named(mails()));
    for (const order of permutations(paths)) expect(told(await lint(order, ["--tree", folder]))).toEqual(EXPECTED);
    const [finding] = (await lint(paths, ["--tree", folder])).flatMap(({ findings }) => findings);
    expect(finding?.related.slice(0, 1).map(({ document, file: path }) => [document, path])).toEqual([[paths[0], FILE]]);
  });
});

describe("the order of the input changes nothing", () => {
  /** A linear congruential generator: the same numbers on every machine. */
  const numbers = (seed: number) => (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const shuffled = <T>(all: readonly T[], next: (below: number) => number): readonly T[] => {
    const made = [...all];
    for (let at = made.length - 1; at > 0; at--) {
      const other = next(at + 1);
      [made[at], made[other]] = [made[other]!, made[at]!];
    }
    return made;
  };

  test.each([[[]], [["--thread"]]])("of eight patches, twenty times %j", async (options) => {
    const late = `${GOOD}\tif (toy->late) {\n\t\tmmap_read_lock(mm);\n\t\treturn -EINVAL;\n\t}\n`;
    const all = seriesMails(START, steps(
      file("\nint toy_z;\n", ""), file(HELPER, ""), file(HELPER, "\ttoy->count++;\n"), file(HELPER, BAD), file(HELPER, `\ttoy->count++;\n${BAD}`), file(HELPER, GOOD), file(HELPER, late), file(HELPER, BAD),
    ), ...options);
    const paths = filesOf(named(all));
    const whole = ({ path, findings, problems }: Input) => ({ path, findings, problems });
    const expected = (await lint(paths)).map(whole);
    expect(expected.flatMap(({ findings }) => findings).length).toBeGreaterThan(1);
    const next = numbers(1);
    for (let turn = 0; turn < 20; turn++) {
      const order = shuffled(paths, next);
      expect((await lint(order)).map(whole)).toEqual(order.map((path) => expected.find((one) => one.path === path)));
    }
  }, 60_000);
});

describe("cost is bounded", () => {
  const patchOf = (number: number, total: number, id: number): string => mails()[0]!
    .replace(/^Subject: .*$/m, `Subject: [PATCH ${number}/${total}] mm: part ${id}`);

  test("a thousand patches, and a thousand that have one number", async () => {
    const one = patchOf(1, 1000, 0);
    const [rising = "", same = ""] = filesOf({
      "rising.mbox": Array.from({ length: 1000 }, (_, index) => one.replace("1/1000", `${index + 1}/1000`)).join(""),
      "same.mbox": Array.from({ length: 1000 }, (_, index) => one.replace("part 0", `part ${index}`)).join(""),
    });
    expect((await lint([rising])).length).toBe(1000);
    expect((await lint([same])).length).toBe(1000);
  }, 120_000);
});

