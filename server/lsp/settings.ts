// SPDX-License-Identifier: GPL-2.0-only
import type { Connection } from "vscode-languageserver/node";
import { SECTION } from "../protocol.ts";
import type { Severity, Tier } from "../review/finding.ts";
import { DEFAULT_OPTIONS } from "../review/options.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { Client } from "./client.ts";

const TIERS: readonly Tier[] = ["proved", "contract", "pattern"];
const SEVERITIES: readonly (Severity | "off")[] = ["error", "warning", "info", "off"];

const member = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;

const readRelease = (value: unknown): string | null =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : null;

const readTier = (value: unknown): Tier => TIERS.find((tier) => tier === value) ?? DEFAULT_OPTIONS.minTier;

function readRules(value: unknown): Record<string, Severity | "off"> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).flatMap(([id, word]): [string, Severity | "off"][] => {
    const severity = SEVERITIES.find((one) => one === word);
    return severity === undefined ? [] : [[id, severity]];
  }));
}

/** Options from what a client holds under `patchwalk`; whatever is missing or malformed gets its default. */
export const readSettings = (value: unknown): ReviewOptions => ({
  ...DEFAULT_OPTIONS,
  release: readRelease(member(member(value, "target"), "release")),
  minTier: readTier(member(value, "minTier")),
  rules: readRules(member(value, "rules")),
});

/** What the editor shows besides findings. */
export interface EditorOptions {
  /** Locks, atomic context and mapped entries as inlay hints. Default: false. */
  readonly showsHeld: boolean;
}

const readEditorOptions = (value: unknown): EditorOptions => ({ showsHeld: member(member(value, "inlayHints"), "held") === true });

interface Settings {
  readonly review: ReviewOptions;
  readonly editor: EditorOptions;
}

const settingsIn = (value: unknown): Settings => ({ review: readSettings(value), editor: readEditorOptions(value) });

/** Settings by resource, asked once until they change. */
export interface SettingsCache {
  /** The same object for the same resource until `change` or `forget`. */
  readonly of: (uri: string) => Promise<ReviewOptions>;
  readonly editor: (uri: string) => Promise<EditorOptions>;
  /** The client says that settings changed; `pushed` is what it sent along, for clients that cannot be asked. */
  readonly change: (pushed: unknown) => void;
  readonly forget: (uri: string) => void;
}

/** Clients wrap their settings in the section's name, or not. */
const unwrapped = (value: unknown): unknown => member(value, SECTION) ?? value;

export function createSettings(connection: Connection, client: Client): SettingsCache {
  const initial = unwrapped(client.initializationOptions);
  const asked = new Map<string, Promise<Settings>>();
  let fallback = settingsIn(initial);

  async function ask(uri: string): Promise<Settings> {
    if (!client.answersConfiguration) return fallback;
    const answer: unknown = await connection.workspace
      .getConfiguration({ scopeUri: uri, section: SECTION })
      .catch(() => null);
    return answer === null || answer === undefined ? fallback : settingsIn(answer);
  }

  function settingsOf(uri: string): Promise<Settings> {
    const answer = asked.get(uri) ?? ask(uri);
    asked.set(uri, answer);
    return answer;
  }

  return {
    of: async (uri) => (await settingsOf(uri)).review,
    editor: async (uri) => (await settingsOf(uri)).editor,
    change: (pushed) => {
      const section = member(pushed, SECTION);
      if (!client.answersConfiguration && section !== undefined) fallback = settingsIn(section ?? initial);
      asked.clear();
    },
    forget: (uri) => void asked.delete(uri),
  };
}
