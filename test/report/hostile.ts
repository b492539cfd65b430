// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from "../../server/review/finding.ts";
import { EVIDENCE } from "./sample-review.ts";

/** Texts that a patch may hold and that mean something to a renderer. */
export const HOSTILE: readonly string[] = [
  "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "]]></style><script>", "&lt;b&gt; &amp; &#60;", "'--><!--", "x\u202ey\u0000z\u001b[31m",
  "a;b#c%%{init: {}}%%", "end", "wrap: x", "nowrap:y", "Note over T0: z", "```\n~~~", "lone \ud800 surrogate \ufffe", "漢字 and \u{1f512}", "a\nb\tc",
  "url(https://example.org/x)", "x".repeat(3000), "", " ", "rect red", "participant T9 as q", "T0->>T1: hi", "}*{fill:red}",
];

/** Evidence in which every text is the given one. */
export const evidenceOfText = (text: string): Evidence => {
  const row = (thread: string, line: number | null) => ({ thread, step: text, patchLine: line, state: text });
  const first = `${text}1`;
  const second = `${text}2`;
  const held = [
    { thread: first, kind: "lock" as const, name: text, from: 0, to: 1 },
    { thread: first, kind: "atomic" as const, name: text, from: 0, to: null },
    { thread: second, kind: "lock" as const, name: text, from: 1, to: null },
  ];
  return {
    ...EVIDENCE,
    property: text,
    badState: text,
    schedule: [row(first, 1), row(second, null), row(first, 3)],
    held,
    fixed: {
      ...EVIDENCE.fixed!, title: text, blockedAt: text, heldBy: text,
      replay: { steps: [{ ...row(first, 1), added: true }, { ...row(second, null), added: false }], held, blocked: row(second, 2), waitsFor: [text] },
    },
  };
};
