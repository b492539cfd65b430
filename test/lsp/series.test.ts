// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { review } from "../../server/review/review.ts";
import { seriesMails } from "../series-mails.ts";
import { startSession } from "./session.ts";
import { recordingParts } from "./word-review.ts";

const URI = "file:///series.mbox";

const file = (helper: string, body: string): string => `// SPDX-License-Identifier: GPL-2.0
${helper}
int toy_fill(struct toy *toy, struct mm_struct *mm)
{
	toy_trace("fill");
${body}	return 0;
}
`;

const HELPER = `\nstatic void toy_lock(struct toy *toy, struct mm_struct *mm)\n{\n\ttoy->locked++;\n\tmmap_read_lock(mm);\n}\n${Array.from({ length: 8 }, (_, index) => `int toy_${index};\n`).join("")}`;
const BAD = "\ttoy_lock(toy, mm);\n\tif (toy->frozen)\n\t\treturn -EBUSY;\n\tmmap_read_unlock(mm);\n";
const GOOD = BAD.replace("\n\t\treturn -EBUSY;", " {\n\t\tmmap_read_unlock(mm);\n\t\treturn -EBUSY;\n\t}");

test("a mailbox: the place in the earlier mail, and the patch that removes the defect", async () => {
  const text = seriesMails({ "mm/toy.c": file("", "") }, [file(HELPER, ""), file(HELPER, BAD), file(HELPER, GOOD)].map((to, index) => ({ title: `mm: step ${index + 1}`, files: { "mm/toy.c": to } }))).join("");
  const session = await startSession({
    parts: { ...recordingParts(), review }, capabilities: { textDocument: { publishDiagnostics: { relatedInformation: true }, diagnostic: {}, hover: { contentFormat: ["plaintext"] } } },
    initializationOptions: { target: { release: "6.6" } },
  });
  await session.open(URI, text);
  const answer = await session.pull(URI);
  const [diagnostic, ...others] = answer.kind === "full" ? answer.items : [];
  expect(others).toEqual([]);
  expect(diagnostic?.message).toMatch(/ \(proved; fixed by 3\/3 "mm: step 3"\)$/);
  const lines = text.split("\n");
  expect(lines[diagnostic?.range.start.line ?? 0]).toBe("+\ttoy_lock(toy, mm);");
  expect(diagnostic?.relatedInformation?.map(({ message, location }) => [message, location.uri, lines[location.range.start.line]])).toEqual([
    ["mmap_lock of mm taken here", URI, "+\tmmap_read_lock(mm);"],
    ["mmap_lock of mm is not released on this way out", URI, "+\t\treturn -EBUSY;"],
  ]);
  const hover = await session.hover(URI, diagnostic?.range.start.line ?? 0, diagnostic?.range.start.character ?? 0);
  expect(JSON.stringify(hover?.contents)).toContain("Fixed by 3/3");
});
