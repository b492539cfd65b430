// SPDX-License-Identifier: GPL-2.0-only
import { testLocks } from "./fuzz-parts.ts";

testLocks(2);
