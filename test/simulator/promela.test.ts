// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { expect, test } from "vitest";
import { modelBuilder } from "../../server/simulator/build.ts";
import { assignAt, increment } from "../../server/simulator/effect.ts";
import { element, eq, minus } from "../../server/simulator/expression.ts";
import type { Model } from "../../server/simulator/model.ts";
import { promelaOf } from "../../server/simulator/promela.ts";
import { rawModel } from "./raw-model.ts";

// Whether Spin counts the same states is asked in spin.test.ts; here is the text, for everyone without Spin.

const small = (): Model => {
  const model = modelBuilder("small");
  const cnt = model.field("cnt", 1);
  const pages = model.array("pages[]", [3, 0]);
  const thread = model.thread("f()", "review");
  const at = thread.local("at", 2, { hidden: true });
  thread.label("again");
  thread.step({ text: "*p++ /* see */", guard: eq(element(pages, at), 0), effect: [increment(cnt), assignAt(pages, minus(at, 1), cnt)], to: "again" });
  const daemon = model.thread("daemon", "daemon");
  daemon.step({ text: "look", checks: [{ holds: eq(cnt, 1), property: "one", message: "" }, { holds: eq(at2(daemon), 0), property: "two", message: "" }] });
  return model.finish();
};
const at2 = (thread: { local(name: string): Parameters<typeof eq>[0] }) => thread.local("cnt");

test("a process a thread, a label a step, names that mean nothing to C", () => {
  expect(promelaOf(small(), { deadlock: true, properties: new Set(["one"]) })).toBe(`\
/* small */
byte g0_cnt = 1;
byte g1_pages[2] = { 3, 0 };
/* f() */
active proctype T0_f() {
  byte t0l0_at = 2;
step0: /* *p++ / * see * / */
  if
  :: d_step { (((t0l0_at < 2) -> g1_pages[t0l0_at] : 0) == 0) -> g0_cnt = (g0_cnt + 1); \
if :: (((t0l0_at - 1) >= 0) && ((t0l0_at - 1) < 2)) -> g1_pages[(t0l0_at - 1)] = g0_cnt :: else fi }; goto step0
  fi;
end1: false
}
/* daemon */
active proctype T1_daemon() {
  byte t1l0_cnt = 0;
end0: /* look */
  if
  :: d_step { assert(g0_cnt == 1) }; goto end1
  fi;
end1: false
}
`);
});

test("threads that never run are left out, and without deadlock everyone may wait", () => {
  const text = promelaOf(small(), { disabled: [1] });
  expect(text).not.toContain("daemon");
  expect(text).toContain("end0: /* *p++");
  expect(promelaOf(small(), { disabled: [0, 1] })).toContain("active proctype T_none() {\nend: false\n}\n");
});

test("no name or text gets out of its comment or becomes part of a word", () => {
  fc.assert(
    fc.property(rawModel(), (model) => {
      const text = promelaOf(model);
      expect(text).toMatch(/^[ -~\n]*$/);
      const code = text.replace(/\/\*(?:(?!\*\/|\/\*).)*\*\//g, "");
      expect(code).not.toMatch(/\/\*|\*\/|\/\/|["'#\\?]/);
      const words = new Set(code.match(/[A-Za-z_]\w*/g));
      const known = /^(byte|active|proctype|if|fi|d_step|assert|goto|skip|else|false|(step|end)\d*|(g|T|t\dl)\d+_\w*)$/;
      expect([...words].filter((word) => !known.test(word))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
