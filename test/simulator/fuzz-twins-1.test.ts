// SPDX-License-Identifier: GPL-2.0-only
import { testTwins } from "./fuzz-parts.ts";

testTwins(1);
