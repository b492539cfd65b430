// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { scheduleSvg } from "../../server/report/svg.ts";
import type { Evidence } from "../../server/review/finding.ts";
import { evidenceOfText, HOSTILE } from "./hostile.ts";
import { EVIDENCE, step } from "./sample-review.ts";
import { everyElement, readXml, textOf, type XmlElement } from "./xml.ts";

const drawn = (evidence: Evidence, title = "A title", id = "0123456789abcdef"): string => {
  const svg = scheduleSvg(evidence, { id, title, lineLabel: "mail", firstThread: "move_one_pte()" });
  if (svg === null) throw new Error("no picture");
  return svg;
};
const elements = (svg: string): XmlElement[] => everyElement(readXml(svg));
const has = (element: XmlElement, word: string): boolean => (element.attributes.class ?? "").split(" ").includes(word);
const number = (element: XmlElement, name: string): number => Number(element.attributes[name]);
const texts = (svg: string): string[] => elements(svg).filter(({ name }) => name === "text").map(textOf);

test("no schedule, no picture", () => {
  expect(scheduleSvg({ ...EVIDENCE, schedule: [] }, { id: "x", title: "", lineLabel: "mail", firstThread: null })).toBeNull();
});

test("the same picture every time, and nothing in it that loads or runs", () => {
  const svg = drawn(EVIDENCE);
  expect(svg).toBe(drawn(EVIDENCE));
  expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|url\(|@import|href|<script|<image|<foreignObject|\son\w+=|javascript:/i);
  expect(new Set(elements(svg).map(({ name }) => name))).toEqual(new Set(["svg", "title", "desc", "style", "rect", "text", "g", "line", "path"]));
});

describe("for those who do not see it", () => {
  const root = readXml(drawn(EVIDENCE));

  test("it is an image with a title and a description", () => {
    expect(root.attributes.role).toBe("img");
    const [title, desc] = root.attributes["aria-labelledby"]!.split(" ").map((id) => everyElement(root).find(({ attributes }) => attributes.id === id));
    expect(textOf(title!)).toBe("A title");
    expect(textOf(desc!)).toContain("3. move_one_pte(): mmu_notifier_invalidate_range_start_nonblock(&range) (interval subscriber: refused).");
    expect(textOf(desc!)).toContain("3. KVM vCPU: blocked: fault: spte := entry(src). The schedule stops at");
  });

  test("text stands out from what it is on, light and dark", () => {
    const css = textOf(everyElement(root).find(({ name }) => name === "style")!);
    const [light, dark] = css.split("@media (prefers-color-scheme:dark)");
    const luminance = (color: string): number => {
      const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * parts[0]! + 0.7152 * parts[1]! + 0.0722 * parts[2]!;
    };
    const fill = (scheme: string, name: string): number => luminance(new RegExp(`\\.${name}\\{fill:(#\\w{6})`).exec(scheme)![1]!);
    for (const scheme of [light!, dark!]) {
      const pairs = [
        ["ink", "page"], ["ink", "box"], ["ink", "added"], ["quiet", "page"], ["quiet", "box"], ["quiet", "added"], ["quiet", "bad"], ["lock-ink", "lock"],
        ["atomic-ink", "atomic"], ["bad-ink", "bad"], ["blocked-ink", "blocked"], ["well-ink", "well"],
      ] as const;
      for (const [ink, ground] of pairs) {
        const [brighter, darker] = [fill(scheme, ink), fill(scheme, ground)].toSorted((a, b) => b - a);
        expect({ ink, ground, contrast: (brighter! + 0.05) / (darker! + 0.05) >= 4.5 }).toEqual({ ink, ground, contrast: true });
      }
    }
  });
});

describe("what it shows", () => {
  const svg = drawn(EVIDENCE);
  const all = elements(svg);

  test("both schedules, lanes in the same order, the end of each", () => {
    const words = texts(svg);
    expect(words).toContain("The schedule that fails");
    expect(words.filter((text) => text === "move_one_pte()" || text === "KVM vCPU")).toEqual(["move_one_pte()", "KVM vCPU", "move_one_pte()", "KVM vCPU"]);
    expect(words.join(" ")).toContain("stale secondary mapping: the vCPU writes page X, which belongs to mm D now");
    expect(words.join(" ")).toContain("held by: notifier range in progress");
    expect(words).toContain("entry(src): X \u2192 none");
    expect(words.filter((text) => text === "mail:35")).toHaveLength(2);
  });

  test("one bad step, one added, one blocked, and the bar that it waits for", () => {
    const boxes = (kind: string): number => all.filter((element) => element.name === "path" && has(element, `${kind}-line`)).length;
    expect([boxes("bad"), boxes("added"), boxes("blocked")]).toEqual([1, 1, 1]);
    expect(all.filter((element) => has(element, "awaited"))).toHaveLength(1);
  });

  test("equal steps of both sides stand on one row", () => {
    const rows = all.filter((element) => element.name === "text" && textOf(element) === "mail:35").map((element) => number(element, "y"));
    expect(rows[0]).toBe(rows[1]);
  });

  test("a lock is a bar from the step that takes it to the one that gives it up", () => {
    const group = all.find((element) => element.name === "g" && textOf(element).startsWith("move_one_pte() holds ptl"))!;
    const bar = everyElement(group).find(({ name }) => name === "rect")!;
    const lineTop = (line: string): number => number(all.find((element) => element.name === "text" && textOf(element) === line)!, "y");
    expect(number(bar, "y")).toBeLessThan(lineTop("mail:153"));
    expect(number(bar, "y")).toBeGreaterThan(lineTop("mail:140"));
    expect(number(bar, "y") + number(bar, "height")).toBeGreaterThan(lineTop("mail:161"));
  });

  test("locks that overlap have bars beside each other", () => {
    const held = ["a", "b", "c"].map((name, index) => ({ thread: "f()", kind: "lock" as const, name, from: index, to: index === 0 ? 1 : null }));
    const picture = drawn({ ...EVIDENCE, schedule: ["x", "y", "z"].map((text) => step("f()", text, null)), held, fixed: null });
    const lefts = elements(picture).filter((element) => element.name === "rect" && has(element, "lock")).map((element) => number(element, "x"));
    // The third begins where the first has ended.
    expect(lefts[1]).toBeGreaterThan(lefts[0]!);
    expect(lefts[2]).toBe(lefts[0]);
  });

  test("a name that is wider than its lane is folded", () => {
    const [long, other] = ["CPU1: pin_user_pages_fast()", "CPU2"];
    const picture = drawn({ ...EVIDENCE, schedule: [long, other, "CPU3", "CPU4"].map((name) => step(name, "x", null)), held: [], fixed: null });
    const heads = elements(picture).filter((element) => element.name === "g" && [long, other].includes(textOf(element.children[0] as XmlElement)));
    const [folded, plain] = heads.map((head) => everyElement(head).filter(({ name }) => name === "text"));
    expect([folded!.length, plain!.length]).toEqual([2, 1]);
    expect(folded!.map(textOf).join(" ")).toBe(long);
    const tops = elements(picture).filter((element) => element.name === "text" && textOf(element) === "x").map((element) => number(element, "y"));
    expect(Math.min(...tops)).toBeGreaterThan(number(folded![1]!, "y") + 16);
  });

  test("a schedule without a fix that passes stands alone", () => {
    const failed = drawn({ ...EVIDENCE, fixed: { ...EVIDENCE.fixed!, verdict: "fail" } });
    expect(failed).toBe(drawn({ ...EVIDENCE, fixed: null }));
    expect(texts(failed).filter((text) => text === "KVM vCPU")).toHaveLength(1);
  });
});

describe("hostile text", () => {
  test.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 60), text]))("%s is text and nothing else", (_, text) => {
    const all = elements(drawn(evidenceOfText(text), text));
    expect(new Set(all.map(({ name }) => name))).toEqual(new Set(["svg", "title", "desc", "style", "rect", "text", "g", "line", "path"]));
    const allowed = new Set(["xmlns", "id", "width", "height", "viewBox", "role", "aria-labelledby", "x", "y", "x1", "y1", "x2", "y2", "rx", "d", "class", "transform", "text-anchor"]);
    expect(all.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => !allowed.has(name))).toEqual([]);
    expect(all.find(({ name }) => name === "style")?.children).toEqual(elements(drawn(EVIDENCE)).find(({ name }) => name === "style")?.children);
  });

  test("an id from outside stays a name", () => {
    const root = readXml(drawn(EVIDENCE, "t", "x\"><script>{}*"));
    expect(root.attributes.id).toBe("schedule-xscript");
  });

  test("every text keeps inside its box", () => {
    for (const text of HOSTILE) {
      const boxes = elements(drawn(evidenceOfText(text)));
      const width = number(boxes[0]!, "width");
      for (const element of boxes.filter(({ name, attributes }) => name === "text" && attributes["text-anchor"] === undefined && attributes.transform === undefined)) {
        const size = has(element, "small") ? 10.5 : has(element, "title") ? 14 : 12;
        const cells = [...textOf(element)].reduce((sum, character) => sum + (/[\u1100-\uffdc\u{1f000}-\u{1ffff}]/u.test(character) && !/[\u2000-\u2e7f]/.test(character) ? 2 : 1), 0);
        expect(number(element, "x") + cells * size * 0.602).toBeLessThanOrEqual(width);
      }
    }
  });
});
