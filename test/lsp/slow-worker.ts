// SPDX-License-Identifier: GPL-2.0-only
import { parentPort } from "node:worker_threads";
import { reviewTaskRunner } from "../../server/cli/review-service.ts";
import { serveTasks } from "../../server/node/serve-tasks.ts";
import { exploreOnce } from "../../server/simulator/remembered.ts";
import { counters } from "../simulator/small-models.ts";
import { recordingParts } from "./word-review.ts";

/** A worker thread whose proofs take hours for documents with the word `ENDLESS`. */
const { review } = recordingParts();

if (parentPort)
  serveTasks(parentPort, reviewTaskRunner((input, options) => {
    if (input.text.includes("ENDLESS")) exploreOnce(counters(8, 20), { maxStates: 4_000_000_000, search: "full" });
    return review(input, options);
  }, () => Promise.resolve(null)));
