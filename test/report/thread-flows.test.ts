// SPDX-License-Identifier: GPL-2.0-only
import { expect, test } from "vitest";
import { failingPicture } from "../../server/report/picture.ts";
import { codeFlowsOf } from "../../server/report/thread-flows.ts";
import { schemaProblems, type Schema } from "../json-schema.ts";
import { evidenceOfText, HOSTILE } from "./hostile.ts";
import { EVIDENCE } from "./sample-review.ts";

const MESSAGE: Schema = { type: "object", required: ["text"], additionalProperties: false, properties: { text: { type: "string", pattern: "[^]" } } };
/** The part of the schema of SARIF 2.1.0 that we write. */
const CODE_FLOWS: Schema = {
  type: "array",
  items: {
    type: "object", required: ["threadFlows"], additionalProperties: false,
    properties: {
      message: MESSAGE,
      threadFlows: {
        type: "array", minItems: 1,
        items: {
          type: "object", required: ["locations"], additionalProperties: false,
          properties: {
            id: { type: "string" },
            message: MESSAGE,
            locations: {
              type: "array", minItems: 1,
              items: {
                type: "object", additionalProperties: false,
                properties: {
                  location: {
                    type: "object", additionalProperties: false,
                    properties: {
                      message: MESSAGE,
                      physicalLocation: {
                        type: "object", required: ["artifactLocation"], additionalProperties: false,
                        properties: {
                          artifactLocation: { type: "object", additionalProperties: false, properties: { uri: { type: "string" } } },
                          region: { type: "object", additionalProperties: false, properties: { startLine: { type: "integer", minimum: 1 } } },
                        },
                      },
                    },
                  },
                  executionOrder: { type: "integer", minimum: -1 },
                  importance: { enum: ["important", "essential", "unimportant"] },
                  state: { type: "object", additionalProperties: MESSAGE },
                },
              },
            },
          },
        },
      },
    },
  },
};

const flows = codeFlowsOf(failingPicture(EVIDENCE, "KVM vCPU")!, { uri: "v3-move.patch" });

test("one thread flow a thread, and one order across them", () => {
  expect(schemaProblems(CODE_FLOWS, flows)).toEqual([]);
  const [flow] = flows;
  expect(flow?.threadFlows.map(({ id, message }) => [id, message.text])).toEqual([["1", "KVM vCPU"], ["2", "move_one_pte()"]]);
  expect(flow?.threadFlows.map(({ locations }) => locations.map(({ executionOrder }) => executionOrder))).toEqual([[2, 6], [1, 3, 4, 5]]);
  expect(flow?.threadFlows[1]?.locations[1]).toEqual({
    location: {
      physicalLocation: { artifactLocation: { uri: "v3-move.patch" }, region: { startLine: 140 } },
      message: { text: "mmu_notifier_invalidate_range_start_nonblock(&range)" },
    },
    executionOrder: 3, importance: "important", state: { change: { text: "interval subscriber: refused" } },
  });
});

test("the last step is the essential one and says what is wrong", () => {
  const all = flows.flatMap(({ threadFlows }) => threadFlows.flatMap(({ locations }) => locations));
  expect(all.filter(({ importance }) => importance === "essential")).toEqual([{
    location: { message: { text: `store through spte: ${EVIDENCE.badState}` } }, executionOrder: 6, importance: "essential",
  }]);
});

test.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 60), text]))("fits the schema with %s", (_, text) => {
  expect(schemaProblems(CODE_FLOWS, codeFlowsOf(failingPicture(evidenceOfText(text), null)!, { uri: "x" }))).toEqual([]);
});

test("a deadlock ends in the steps that wait, and says so once", () => {
  const waiting = ["f()", "g()"].map((thread, index) => ({ thread, step: `lock(${index}) [waits for ever]`, patchLine: index, state: "", isWaiting: true as const }));
  const schedule = [{ thread: "f()", step: "lock(1)", patchLine: null, state: "" }, ...waiting];
  const [flow] = codeFlowsOf(failingPicture({ ...EVIDENCE, schedule, held: [], badState: "nothing can move" }, "f()")!, { uri: "a.patch" });
  const locations = flow!.threadFlows.flatMap((thread) => thread.locations).toSorted((a, b) => a.executionOrder - b.executionOrder);
  expect(locations.map(({ importance }) => importance)).toEqual(["important", "essential", "essential"]);
  expect(locations.map(({ location }) => location.message.text)).toEqual(["lock(1)", "lock(0) [waits for ever]", "lock(1) [waits for ever]: nothing can move"]);
});
