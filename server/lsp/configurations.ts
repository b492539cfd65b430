// SPDX-License-Identifier: GPL-2.0-only
import { DiagnosticSeverity, DidChangeWatchedFilesNotification } from "vscode-languageserver/node";
import type { Connection, Diagnostic, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { SECTION } from "../protocol.ts";
import { visibleLine } from "../report/visible.ts";
import { rules } from "../review/catalogue.ts";
import { CONFIGURATION_NAME, NO_CONFIGURATION, readConfiguration, type Configuration } from "../review/configuration/configuration.ts";
import type { FileProblem } from "../review/configuration/file-problem.ts";
import type { Client } from "./client.ts";
import { isConfiguration } from "./text.ts";
import type { Trust } from "./trust.ts";

/** The text of a configuration, or why it is not used; null where there is none. Never rejects. */
export type ConfigurationText = (uri: string) => Promise<{ readonly text: string } | { readonly reason: string } | null>;

/** A configuration that was read. */
export interface LoadedConfiguration {
  readonly uri: string;
  /** Null where it is not used. */
  readonly text: string | null;
  /** Version of the open document; null for a file on disk. */
  readonly version: number | null;
  readonly configuration: Configuration;
  readonly problems: readonly FileProblem[];
}

/** The configurations in the folders of a trusted workspace. Files that are open count as the editor shows them. */
export interface Configurations {
  /** The nearest one above a document, up to its workspace folder; the same object until it changes. */
  readonly of: (uri: string) => Promise<LoadedConfiguration | null>;
  /** Where one would be created for a document: at the top of its workspace folder; null where it would not be read. */
  readonly placeFor: (uri: string) => string | null;
  /** Takes what the review of a document showed about suppressions of a configuration. */
  readonly note: (uri: string, configuration: LoadedConfiguration, problems: readonly FileProblem[]) => void;
  /** Asks the client to tell of files that change. */
  readonly watch: () => void;
  /** Takes over what the client says of files that changed. */
  readonly filesChanged: (uris: readonly string[]) => void;
  /** The user trusts the workspace from now on. */
  readonly trusted: () => void;
  readonly close: () => void;
}

const SEVERITIES: Readonly<Record<string, DiagnosticSeverity>> = {
  "not-json": DiagnosticSeverity.Error,
  "suppression-stale": DiagnosticSeverity.Information,
  "suppression-expired": DiagnosticSeverity.Information,
};

const diagnosticOf = ({ line, column, endColumn, code, message }: FileProblem): Diagnostic => ({
  range: { start: { line: line - 1, character: column - 1 }, end: { line: line - 1, character: endColumn - 1 } },
  severity: SEVERITIES[code] ?? DiagnosticSeverity.Warning, code, source: SECTION, message: visibleLine(message),
});

/** `refresh`: what was said about open documents may be out of date. */
export function createConfigurations(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  client: Client,
  trust: Trust,
  read: ConfigurationText | null,
  refresh: () => void,
  debounceMs: number,
  log: (message: string) => void,
): Configurations {
  const known = rules().map(({ id }) => id);
  const loading = new Map<string, Promise<LoadedConfiguration | null>>();
  /** What was read last, so that the same text stays the same object. */
  const last = new Map<string, LoadedConfiguration>();
  const notes = new Map<string, Map<string, readonly FileProblem[]>>();
  const published = new Map<string, string>();
  let waiting: NodeJS.Timeout | undefined;

  function publish(uri: string): void {
    const problems = [...(last.get(uri)?.problems ?? []), ...[...(notes.get(uri)?.values() ?? [])].flat()];
    const diagnostics = problems.map(diagnosticOf);
    const text = JSON.stringify(diagnostics);
    if ((published.get(uri) ?? "[]") === text) return;
    published.set(uri, text);
    connection.sendDiagnostics({ uri, diagnostics }).catch((error: unknown) => log(`diagnostics of ${uri}: ${String(error)}`));
  }

  async function load(uri: string): Promise<LoadedConfiguration | null> {
    const document = documents.get(uri);
    const found = document ? { text: document.getText() } : ((await read?.(uri)) ?? null);
    const before = last.get(uri);
    const loaded = found === null ? null : loadedFrom(uri, found, document?.version ?? null);
    const isSame = before?.text === loaded?.text && before?.version === loaded?.version && JSON.stringify(before?.problems) === JSON.stringify(loaded?.problems);
    if (isSame) return before ?? null;
    // What was noted stood in the lines of another text.
    notes.delete(uri);
    if (loaded) last.set(uri, loaded);
    else last.delete(uri);
    publish(uri);
    return loaded;
  }

  function loadedFrom(uri: string, found: { readonly text: string } | { readonly reason: string }, version: number | null): LoadedConfiguration {
    if ("text" in found) return { uri, text: found.text, version, ...readConfiguration(found.text, CONFIGURATION_NAME, known) };
    const problem = { code: "configuration-unread", message: found.reason, line: 1, column: 1, endColumn: 2 };
    return { uri, text: null, version, configuration: NO_CONFIGURATION, problems: [problem] };
  }

  function loaded(uri: string): Promise<LoadedConfiguration | null> {
    const known = loading.get(uri) ?? load(uri).catch((error: unknown) => {
      log(`${uri} is not read: ${String(error)}`);
      return null;
    });
    loading.set(uri, known);
    return known;
  }

  const mayRead = (): boolean => read !== null && trust.isTrusted();
  const folderOf = (uri: string): string | null =>
    client.folders.map((folder) => folder.replace(/\/$/, "")).filter((folder) => folder.startsWith("file:") && uri.startsWith(`${folder}/`)).toSorted((a, b) => b.length - a.length)[0] ?? null;

  function forget(uris: readonly string[] | null): void {
    if (read === null) return;
    if (uris === null) loading.clear();
    else for (const uri of uris) loading.delete(uri);
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const gone = [...last.keys(), ...documents.keys().filter(isConfiguration)].filter((uri) => mayRead() && folderOf(uri) !== null);
      Promise.all(gone.map(loaded)).then(refresh, (error: unknown) => log(String(error)));
    }, debounceMs);
  }

  documents.onDidChangeContent(({ document }) => isConfiguration(document.uri) && forget([document.uri]));
  documents.onDidClose(({ document: { uri } }) => {
    if (isConfiguration(uri)) forget([uri]);
    for (const [configuration, byDocument] of notes) if (byDocument.delete(uri)) publish(configuration);
  });
  // Clients that do not watch files tell of changes by what they save and open; what is the same then costs a look.
  const isNews = (uri: string): boolean => !client.watchesFiles && !isConfiguration(uri);
  documents.onDidOpen(({ document }) => isNews(document.uri) && loading.clear());
  documents.onDidSave(({ document }) => isNews(document.uri) && forget(null));
  return {
    async of(uri) {
      const folder = folderOf(uri);
      if (!mayRead() || folder === null) return null;
      for (let at = uri.slice(0, uri.lastIndexOf("/")); at.length >= folder.length; at = at.slice(0, at.lastIndexOf("/"))) {
        const found = await loaded(`${at}/${CONFIGURATION_NAME}`);
        if (found) return found;
      }
      return null;
    },
    placeFor(uri) {
      const folder = mayRead() ? folderOf(uri) : null;
      return folder && `${folder}/${CONFIGURATION_NAME}`;
    },
    note(uri, { uri: at }, problems) {
      const byDocument = notes.get(at) ?? new Map<string, readonly FileProblem[]>();
      byDocument.set(uri, problems);
      notes.set(at, byDocument);
      publish(at);
    },
    filesChanged(uris) {
      const changed = uris.filter(isConfiguration);
      if (changed.length > 0) forget(changed);
    },
    watch() {
      if (read === null || !client.watchesFiles) return;
      connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: `**/${CONFIGURATION_NAME}` }] })
        .catch((error: unknown) => log(`configurations are not watched: ${String(error)}`));
    },
    trusted: () => forget(null),
    close: () => clearTimeout(waiting),
  };
}
