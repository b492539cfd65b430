// SPDX-License-Identifier: GPL-2.0-only
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StreamedMessage } from "../../server/mail/mbox-stream.ts";
import { messagesOf } from "../../server/mail/mbox-stream.ts";
import { splitMessages } from "../../server/mail/message.ts";
import { splitLines } from "../../server/text/lines.ts";

const separator = "From dev@example.org Fri Nov 20 03:53:35 2026";

async function* inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const stream = async (bytes: Uint8Array, sizes: readonly number[], limit?: number): Promise<StreamedMessage[]> => {
  const found: StreamedMessage[] = [];
  for await (const message of messagesOf(inChunks(bytes, sizes), limit === undefined ? {} : { limit })) found.push(message);
  return found;
};

/** 1-based line of the first line of a mail that is not blank. */
const blanks = (each: StreamedMessage): number => /^\s*(?=\S)/.exec(each.text)?.[0].split("\n").length ?? 1;

const piece = fc.constantFrom(
  separator, "From ", "From the start", "\n", "\n\n", "\r\n", "\r\n\r\n", "Subject: a\n", "caf\u00e9 \u{1F600}", "+\tcode();\n", "",
);

describe("messagesOf", () => {
  it("finds the same mails for any cut into chunks", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(piece, { maxLength: 30 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
      async (pieces, sizes) => {
        const text = pieces.join("");
        const found = await stream(Buffer.from(text), sizes);
        const whole = splitMessages(splitLines(text));
        expect(found.map((each) => each.firstLine + blanks(each) - 1)).toEqual(whole.map((each) => each.lines[0]?.line));
        let at = 0;
        for (const each of found) {
          at = text.indexOf(each.text, at);
          expect(at).toBeGreaterThanOrEqual(0);
          expect(each.firstLine).toBe(text.slice(0, at).split("\n").length);
          at += each.text.length;
        }
      }), { numRuns: 300 });
  });

  it("reads a mail that is not UTF-8 as latin1, and only that one", async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${separator}\n\ncaf\u00e9\n\n`), Buffer.from(`${separator}\n\ncaf\u00e9\n\n`, "latin1"), Buffer.from(`${separator}\n\nlast\n`),
    ]);
    const found = await stream(bytes, [7]);
    expect(found.map((each) => [each.text.includes("caf\u00e9"), each.firstLine, each.problems.map((problem) => problem.code)]))
      .toEqual([[true, 1, []], [true, 5, ["not-utf8"]], [false, 9, []]]);
  });

  it("cuts a mail above the limit and goes on with the next", async () => {
    const bytes = Buffer.from(`${separator}\n\n${"caf\u00e9 line\n".repeat(1000)}\n${separator}\nSubject: b\n\nend\n`);
    const found = await stream(bytes, [1000], 500);
    expect(found.map((each) => [each.firstLine, each.problems.map((problem) => problem.code)]))
      .toEqual([[1, ["message-cut"]], [1004, []]]);
    expect(found[0]?.text.length).toBeLessThanOrEqual(500);
  });

  it("survives a file that is one endless line, and an empty one", async () => {
    expect(await stream(Buffer.alloc(300_000, "From "), [65_536])).toHaveLength(1);
    expect(await stream(Buffer.alloc(0), [1])).toEqual([]);
  });
});
