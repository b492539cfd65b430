// SPDX-License-Identifier: GPL-2.0-only
import { clipped } from "./visible.ts";
import type { Picture, PictureStep } from "./picture.ts";

/** Where the steps of a schedule are, for SARIF: the document that the finding is in. */
export interface FlowOptions {
  readonly uri: string;
}

const message = (text: string) => ({ text: text === "" ? "-" : text });

const physical = (line: number | null, { uri }: FlowOptions) =>
  line === null ? {} : { physicalLocation: { artifactLocation: { uri }, region: { startLine: line } } };

/** Object names are free in SARIF's `state`; a change is one name and its new value. */
const stateOf = (state: string) => (state === "" ? {} : { state: { change: message(state) } });

const locationOf = (step: PictureStep, index: number, picture: Picture, options: FlowOptions) => {
  // In a deadlock several steps are where it ends.
  const isBad = step.mark === "bad" || step.mark === "blocked";
  const said = step.note === "" ? step.text : `${step.text} [${step.note}]`;
  const text = index === picture.steps.length - 1 ? clipped(`${said}: ${picture.end.text}`, 500) : said;
  return {
    location: { ...physical(step.line, options), message: message(text) },
    executionOrder: index + 1,
    importance: isBad ? "essential" : "important",
    ...stateOf(step.state),
  };
};

/**
 * A failing schedule as the `codeFlows` of a SARIF result: one code flow, in it one thread flow a thread, and the order across
 * threads in `executionOrder`.
 */
export const codeFlowsOf = (picture: Picture, options: FlowOptions) => [
  {
    message: message(picture.end.text),
    threadFlows: picture.lanes.map((name, lane) => ({
      id: `${lane + 1}`,
      message: message(name),
      locations: picture.steps.flatMap((step, index) => (step.lane === lane ? [locationOf(step, index, picture, options)] : [])),
    })),
  },
];
