// SPDX-License-Identifier: GPL-2.0-only
import type { TextDocument } from "vscode-languageserver-textdocument";
import { CONFIGURATION_NAME } from "../review/configuration/configuration.ts";
import type { ReviewInput } from "../review/review.ts";

/** True for a document that is no input, but says what is to be made of inputs. */
export const isConfiguration = (uri: string): boolean => uri.endsWith(`/${CONFIGURATION_NAME}`);

/** Longer documents (UTF-16 units) are mailboxes for the command line: a review would stop the editor for seconds. */
export const MAX_LENGTH = 8 * 1024 * 1024;

export const kindOf = (document: TextDocument): ReviewInput["kind"] =>
  document.languageId === "c" || /\.[ch]$/i.test(document.uri) ? "c" : "patch";

/** The text as the client counts its lines: the protocol ends one at a lone carriage return, git does not. */
export const clientText = (document: TextDocument): string => document.getText().replace(/\r(?!\n)/g, "\n");
