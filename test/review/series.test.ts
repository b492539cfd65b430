// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";
import { seriesMails, type Step } from "../series-mails.ts";

const options = { ...DEFAULT_OPTIONS, release: "6.6" };

const FILE = "mm/toy.c";

/** Lines that keep functions apart, so that no hunk shows two of them. */
const spacer = (word: string): string => Array.from({ length: 8 }, (_, index) => `int toy_${word}_${index};\n`).join("");

/** A file with a helper and a function that may use it. */
const toy = (helper: string, body: string, variables = ""): string => [
  "// SPDX-License-Identifier: GPL-2.0\n", spacer("one"), helper, spacer("two"),
  `\nint toy_fill(struct toy *toy, struct mm_struct *mm, pgoff_t index)\n{\n${variables}\tint ret = 0;\n\n${body}\treturn ret;\n}\n`, spacer("three"),
].join("");

const GET_LOCKED = `
static struct folio *toy_get_locked(struct toy *toy, pgoff_t index)
{
	struct folio *folio;

	folio = filemap_get_folio(toy->mapping, index);
	if (IS_ERR(folio))
		return NULL;
	folio_lock(folio);
	return folio;
}
`;

const FOLIO = "\tstruct folio *folio;\n";

/** Uses the helper; \`last\` is how the way out that fails ends. */
const useLocked = (last: string): string => `	folio = toy_get_locked(toy, index);
	if (!folio)
		return -ENOENT;
	if (toy->frozen) {
		folio_unlock(folio);
${last}		return -EBUSY;
	}
	toy->seen++;
	folio_unlock(folio);
	folio_put(folio);
`;

const LEAKS = useLocked("");
const PUTS = useLocked("\t\tfolio_put(folio);\n");

const step = (number: number, text: string, path = FILE): Step => ({ title: `mm: step ${number}`, files: { [path]: text } });

/** The states of the file, one patch between two of them. */
const ofStates = (...states: readonly string[]): readonly string[] =>
  seriesMails({ [FILE]: states[0] ?? "" }, states.slice(1).map((text, index) => step(index + 1, text)));

const reviewOf = (mails: readonly string[]) => review({ path: "series.mbox", text: mails.join(""), kind: "patch" }, options);

const told = (mails: readonly string[]) => reviewOf(mails).flatMap(({ series, findings }) =>
  findings.map((one) => `${series?.index}/${series?.total} ${one.function} ${one.ruleId} ${one.tier} ${one.origin}${one.fixedBy ? ` fixed by ${one.fixedBy.number}/${one.fixedBy.total} ${one.fixedBy.subject}` : ""}`));

describe("what an earlier patch writes is known to a later one", () => {
  const mails = () => ofStates(toy("", ""), toy(GET_LOCKED, ""), toy(GET_LOCKED, "\ttoy->count++;\n"), toy(GET_LOCKED, `\ttoy->count++;\n${LEAKS}`, FOLIO));

  test("a function that returns with a reference: who forgets it is told, with the place in the earlier mail", () => {
    const all = mails();
    expect(told(all)).toEqual(["3/3 toy_fill reference-imbalance proved introduced"]);
    const [, , third] = reviewOf(all);
    const text = all.join("").split("\n");
    const related = third?.findings[0]?.related ?? [];
    expect(related.map(({ file, patchLine }) => [file, text[(patchLine ?? 0) - 1]])).toEqual([[FILE, "+\tfolio = filemap_get_folio(toy->mapping, index);"]]);
    expect(text[(third?.findings[0]?.location.patchLine ?? 0) - 1]).toBe("+\tfolio = toy_get_locked(toy, index);");
  });

  test("who puts it is not", () => {
    expect(told(ofStates(toy("", ""), toy(GET_LOCKED, ""), toy(GET_LOCKED, PUTS, FOLIO)))).toEqual([]);
  });

  test("nor is a patch of which the others are not there", () => {
    expect(told([mails()[2] ?? ""])).toEqual([]);
  });

  test("in any order of the mails", () => {
    const [one = "", two = "", three = ""] = mails();
    for (const order of [[three, one, two], [two, three, one], [three, two, one]]) expect(told(order)).toEqual(["3/3 toy_fill reference-imbalance proved introduced"]);
  });

  test("with a patch missing it is no proof, and that is said", () => {
    const [one = "", , three = ""] = mails();
    expect(told([one, three])).toEqual(["3/3 toy_fill reference-imbalance contract introduced"]);
    expect(reviewOf([three, one]).flatMap(({ problems }) => problems.filter(({ code }) => code === "patch-missing").map(({ message }) => message))).toEqual(["of the 3 patches of v1, 2 is not here"]);
  });

  test("an assertion that an earlier patch brings", () => {
    const check = (body: string): string => `\nstatic void toy_check(struct toy *toy, struct mm_struct *mm)\n{\n${body}\ttoy->checked++;\n}\n`;
    const use = "\tmmap_read_lock(mm);\n\ttoy->count++;\n\tmmap_read_unlock(mm);\n\ttoy_check(toy, mm);\n";
    expect(told(ofStates(toy(check(""), ""), toy(check("\tmmap_assert_locked(mm);\n"), ""), toy(check("\tmmap_assert_locked(mm);\n"), use)))).toEqual(["2/2 toy_fill assert-not-held contract introduced"]);
    expect(told(ofStates(toy(check(""), ""), toy(check("\ttoy->count--;\n"), ""), toy(check("\ttoy->count--;\n"), use)))).toEqual([]);
  });

  test("a lock that a helper takes", () => {
    const lock = "\nstatic void toy_lock(struct mm_struct *mm)\n{\n\tmmap_read_lock(mm);\n}\n";
    const use = (last: string): string => `\ttoy_lock(mm);\n\tif (toy->frozen)${last}\n\tmmap_read_unlock(mm);\n`;
    expect(told(ofStates(toy("", ""), toy(lock, ""), toy(lock, use("\n\t\treturn -EBUSY;"))))).toEqual(["2/2 toy_fill lock-imbalance proved introduced"]);
    expect(told(ofStates(toy("", ""), toy(lock, ""), toy(lock, use(" {\n\t\tmmap_read_unlock(mm);\n\t\treturn -EBUSY;\n\t}"))))).toEqual([]);
  });

  test("a function of another file", () => {
    const lock = "// SPDX-License-Identifier: GPL-2.0\nvoid toy_lock(struct mm_struct *mm)\n{\n\tmmap_read_lock(mm);\n}\n";
    const all = (body: string, linkage = "") => seriesMails({ [FILE]: toy("", ""), "mm/toy_lock.c": "// SPDX-License-Identifier: GPL-2.0\n" }, [step(1, lock.replace("void", `${linkage}void`), "mm/toy_lock.c"), step(2, toy("", body))]);
    const bad = "\ttoy_lock(mm);\n\tif (toy->frozen)\n\t\treturn -EBUSY;\n\tmmap_read_unlock(mm);\n";
    expect(told(all(bad))).toEqual(["2/2 toy_fill lock-imbalance proved introduced"]);
    expect(reviewOf(all(bad))[1]?.findings[0]?.related.map(({ file, newLine }) => [file, newLine])).toEqual([["mm/toy_lock.c", 4], ["mm/toy.c", 25]]);
    expect(told(all("\ttoy_lock(mm);\n\tmmap_read_unlock(mm);\n"))).toEqual([]);
    // Nobody else sees a static one.
    expect(told(all(bad, "static "))).toEqual([]);
  });

  test("a macro of a header", () => {
    const header = "/* SPDX-License-Identifier: GPL-2.0 */\n";
    const macro = `${header}#define toy_lock(mm) mmap_read_lock(mm)\n`;
    const all = (body: string) => seriesMails({ [FILE]: toy("", ""), "mm/toy.h": header }, [step(1, macro, "mm/toy.h"), step(2, toy("", body))]);
    expect(told(all("\ttoy_lock(mm);\n\tif (toy->frozen)\n\t\treturn -EBUSY;\n\tmmap_read_unlock(mm);\n"))).toEqual(["2/2 toy_fill lock-imbalance proved introduced"]);
    expect(told(all("\ttoy_lock(mm);\n\tmmap_read_unlock(mm);\n"))).toEqual([]);
  });
});

describe("hunks stand in the functions that earlier patches show", () => {
  /** Far enough apart that a hunk shows only one of them. */
  const long = (top: string, bottom: string): string => toy("", `${top}${Array.from({ length: 8 }, (_, index) => `\ttoy_trace(${index});\n`).join("")}${bottom}`);
  const LOCK = "\tmmap_read_lock(mm);\n";
  const UNLOCK = "\tmmap_read_unlock(mm);\n";

  test("a way out that one patch adds to a section that another one made", () => {
    const bad = long(LOCK, `\tif (toy->frozen)\n\t\treturn -EBUSY;\n${UNLOCK}`);
    expect(told(seriesMails({ "mm/other.c": "int x;\n" }, [step(1, long(LOCK, UNLOCK)), step(2, bad)]))).toEqual(["2/2 toy_fill lock-imbalance proved interaction"]);
    expect(told(seriesMails({ "mm/other.c": "int x;\n" }, [step(1, long("", "")), step(2, long("", "\tif (toy->frozen)\n\t\treturn -EBUSY;\n"))]))).toEqual([]);
  });
});

describe("a defect that a later patch removes", () => {
  const clean = toy(GET_LOCKED, "", FOLIO);
  const bad = toy(GET_LOCKED, LEAKS, FOLIO);
  const good = toy(GET_LOCKED, PUTS, FOLIO);
  const start = toy("", "", FOLIO);

  test("is told with the patch that has it, which names the other", () => {
    expect(told(ofStates(start, clean, bad, good))).toEqual(["2/3 toy_fill reference-imbalance proved introduced fixed by 3/3 mm: step 3"]);
  });

  test("a patch in between that still has it says nothing", () => {
    const still = toy(GET_LOCKED, `\ttoy->count++;\n${LEAKS}`, FOLIO);
    const mended = toy(GET_LOCKED, `\ttoy->count++;\n${PUTS}`, FOLIO);
    expect(told(ofStates(start, clean, bad, still, mended))).toEqual(["2/4 toy_fill reference-imbalance proved introduced fixed by 4/4 mm: step 4"]);
  });

  test("one that comes back was not removed", () => {
    expect(told(ofStates(start, clean, bad, good, bad))).toEqual(["2/4 toy_fill reference-imbalance proved introduced", "4/4 toy_fill reference-imbalance proved interaction"]);
    expect(told(ofStates(start, clean, bad, good, bad, good))).toEqual([
      "2/5 toy_fill reference-imbalance proved introduced fixed by 5/5 mm: step 5", "4/5 toy_fill reference-imbalance proved interaction fixed by 5/5 mm: step 5",
    ]);
  });

  test("one of another function is no business of it", () => {
    expect(told(ofStates(start, clean, bad, bad.replace("int toy_one_3;", "int toy_one_4711;")))).toEqual(["2/3 toy_fill reference-imbalance proved introduced"]);
  });

  test("one that is there in the whole series is told once", () => {
    expect(told(ofStates(start, clean, bad, bad.replace("toy->seen++", "toy->seen += 2")))).toEqual(["2/3 toy_fill reference-imbalance proved introduced"]);
  });

  test("another name of the function is neither a removal nor a new defect", () => {
    const renamed = bad.replace("toy_fill", "toy_fill_one");
    expect(told(ofStates(start, clean, bad, renamed))).toEqual(["2/3 toy_fill reference-imbalance proved introduced"]);
    expect(told(ofStates(start, clean, bad, start))).toEqual(["2/3 toy_fill reference-imbalance proved introduced fixed by 3/3 mm: step 3"]);
  });
});
