// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { scheduleColumns } from "../../server/report/columns.ts";
import { wrapText } from "../../server/report/wrap.ts";
import { SCHEDULE, step } from "./sample-review.ts";

const columns = (schedule: Parameters<typeof scheduleColumns>[0], bad: string, width = 72, first: string | null = null): string =>
  scheduleColumns(schedule, bad, { width, lineLabel: "mail", firstThread: first }).join("\n");

const DEVICE = step("device", "DMA write to pfn of X", null, "content(X): A -> device");

test("no steps, no lines", () => expect(columns([], "bad")).toBe(""));

test("one thread is one column; without lines there is no gutter", () => {
  expect(columns([step("gup()", "lock(a)", null), step("gup()", "lock(a)", null)], "deadlock")).toBe(`\
gup()
-------
lock(a)
lock(a)
*** deadlock`);
});

test("three threads share the width; what does not fit beside its neighbor runs past it rather than fold", () => {
  expect(columns([...SCHEDULE, DEVICE], "lost DMA", 78)).toBe(`\
          move_one_pte()   KVM vCPU                device
          --------------   ---------------------   ---------------------------
mail:35   src = pte_offset_map(src_pmd, src_addr)
            [rcu: 0 -> 1]
                           fault: spte := entry(src)
                             [spte: none -> X]
mail:140  mmu_notifier_invalidate_range_start_nonblock(&range)
            [interval subscriber: refused]
mail:153  entry = ptep_clear_flush(vma, src_addr, src)
            [entry(src): X -> none]
mail:161  set_pte_at(mm, dst_addr, dst, entry)
            [owner(X): S -> D]
                           store through spte
                                                   DMA write to pfn of X
                                                     [content(X): A -> device]
*** lost DMA`);
});

test("no column is squeezed out by its neighbors", () => {
  const long = "word ".repeat(12).trim();
  expect(columns([step("a", long, 1), step("b", long, null), step("c", long, null)], "bad", 60)).toBe(`\
        a           b            c
        ---------   ----------   ---------------------------
mail:1  word word word word word word word word word word
          word word
                    word word word word word word word word
                      word word word word
                                 word word word word word
                                   word word word word word
                                   word word
*** bad`);
});

test("names stay whole where they fit beside each other, and no bracket is left alone", () => {
  const schedule = [step("host_pfn_mapping_level()", "pmd", null), step("munmap", "flush ".repeat(9).trim(), null), step("CPU 1", "answers ".repeat(9).trim(), null)];
  expect(columns(schedule, "bad").split("\n")[0]).toMatch(/^host_pfn_mapping_level\(\) +munmap +CPU 1$/);
  expect(wrapText("page_maybe_dma_pinned()?", { width: 22 })).toEqual(["page_maybe_dma_", "pinned()?"]);
});

test("many threads stand side by side where all of them fit", () => {
  const schedule = ["a", "b", "c", "d", "e"].map((name) => step(name, `lock(${name})`, null));
  expect(columns(schedule, "deadlock")).toBe(`\
a         b         c         d         e
-------   -------   -------   -------   -------
lock(a)
          lock(b)
                    lock(c)
                              lock(d)
                                        lock(e)
*** deadlock`);
});

test("four threads become blocks", () => {
  expect(columns([...SCHEDULE.slice(0, 3), DEVICE, step("khugepaged", "collapse", null)], "lost DMA")).toBe(`\
move_one_pte():
  mail:35   src = pte_offset_map(src_pmd, src_addr)
              [rcu: 0 -> 1]
KVM vCPU:
            fault: spte := entry(src)
              [spte: none -> X]
move_one_pte():
  mail:140  mmu_notifier_invalidate_range_start_nonblock(&range)
              [interval subscriber: refused]
device:
            DMA write to pfn of X
              [content(X): A -> device]
khugepaged:
            collapse
*** lost DMA`);
});

test("the thread under review stands leftmost, whoever starts", () => {
  const schedule = [step("vCPU", "fault", null), step("f()", "clear", 3)];
  expect(columns(schedule, "", 72, "f()").split("\n")[0]).toBe("        f()     vCPU");
  expect(columns(schedule, "", 72).split("\n")[0]).toBe("        vCPU    f()");
});

test("lines keep within the width, whatever the texts", () => {
  for (const text of ["x".repeat(300), "a b ".repeat(90), "ééé ".repeat(50), "a_b".repeat(99), "", "𝒳".repeat(100)]) {
    for (const threads of [1, 2, 3, 4]) {
      const schedule = Array.from({ length: threads }, (_, index) => step(`${text.slice(0, 90)}${index}`, text, index, text));
      for (const width of [72, 80]) {
        const lines = scheduleColumns(schedule, text, { width, lineLabel: "mail", firstThread: null });
        expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(width);
        expect(lines.filter((line) => /\s$/.test(line) || line.includes("\t"))).toEqual([]);
      }
    }
  }
});

test("a hostile line of a patch neither fills the screen nor takes time", () => {
  const huge = "x".repeat(2_000_000);
  const lines = scheduleColumns([step(huge, huge, 1, huge), step("b", "y", 2)], huge, { width: 72, lineLabel: "mail", firstThread: null });
  expect(lines.length).toBeLessThan(40);
  expect(wrapText(huge, { width: 80 })).toHaveLength(25_000);
});
