/** The contract life cycle: contracts, purchase agreements, the connection, deep links. */
import type { EntityOf } from "./catalog.js";
import type { EntitySet } from "./client.js";
import { objectToJson } from "./json.js";
import type { Call } from "./projects.js";
import type { Entity, Input, Query } from "./query.js";
import type { RunOptions } from "./run.js";

/** A contract of Supply Chain Management. */
export type Contract = EntityOf<"CLMIntegrationContracts">;
/** A member of the service's enum, for example "WaitingForApproval". The service documents no rules between them. */
export type ContractStatus = string;

/** A contract by its number. */
export interface ContractRef {
  contractId: string;
  /** `dataAreaId` of the row; default: the client's. */
  company?: string;
}
/** A purchase agreement by its number. */
export interface AgreementRef {
  agreementId: string;
  /** `dataAreaId` of the row; default: the client's. */
  company?: string;
}
/** A contract or agreement by the id that the contract system gave it. */
export type ByExternalId = { externalContractId: string; company?: string };

/**
 * A purchase agreement as it is wanted. Of the header only the named properties count; the lines are all that it is to have.
 *
 * A line is known by its `LineNumber`, else by its `ExternalContractLineId` where a line has it already, else its number is its place
 * in the list, from 1.
 */
export interface AgreementDraft {
  header: Input<EntityOf<"CLMIntegrationPurchaseAgreements">>;
  lines: Input<EntityOf<"CLMIntegrationPurchaseAgreementLines">>[];
}

/** What the service said of a draft. */
export interface AgreementValidation {
  /** All was checked, and nothing found. */
  valid: boolean;
  /** What could not be checked: there is no header yet, or the environment has no validation entity for it. */
  unchecked: ("header" | "lines")[];
  /**
   * `line` is the 1-based number in the draft, absent for the header, for lines to be deleted, and where the service did not say.
   * `field` is recognised by the words of the message, where they hold the property's name (English).
   */
  findings: { line?: number; field?: string; message: string }[];
}

/** A button in Supply Chain Management that leads to the contract system. */
export interface NavigationLink {
  type: "ViewContract" | "EditContract" | "NewContract" | "NewContractFromPurchAgreement" | "AmendContract";
  name: string;
  /** Path behind the navigation base URL. */
  relativeUrl: string;
  open: "OpenInNewTab" | "OpenInExistingTab";
  /** Parameters of the URL. A value may hold placeholders: `%CLMIntegrationContractTable.ExternalContractId%`. */
  query?: Record<string, string>;
}

/**
 * Errors of all: INVALID_ARGUMENT and UNKNOWN_PROPERTY before anything is sent; NOT_FOUND where the environment has no such entity set
 * (version, feature); AUTH_REJECTED, APP_NOT_REGISTERED, FORBIDDEN, THROTTLED, SERVICE_ERROR, NETWORK, TIMEOUT, ABORTED.
 */
export interface Clm {
  readonly contracts: Contracts;
  readonly agreements: PurchaseAgreements;
  readonly connection: Connection;
  /** URLs of pages of the client, made by the service: to be stored, not built. Who opens one still signs in, and needs the right. */
  readonly links: {
    vendor(account: string, company?: string, options?: RunOptions): Promise<string>;
    contract(id: ContractRef | ByExternalId, options?: RunOptions): Promise<string>;
    agreement(id: AgreementRef | ByExternalId, options?: RunOptions): Promise<string>;
  };
}

export interface Contracts {
  /**
   * Creates a contract, or finds it: by ContractId, else by ExternalContractId. So a repeated create gives what the first one made,
   * also after the process died or the answer was lost. Where `LegalEntityId` is not given it becomes the company.
   * @throws {ClmError} VALIDATION_FAILED with the service's reason; OUTCOME_UNKNOWN where the answer was lost and the contract is not
   * to be seen: call again
   */
  create(contract: Input<Contract>, options?: RunOptions): Promise<Contract>;
  get(id: ContractRef | ByExternalId, options?: RunOptions): Promise<Entity<Contract> | undefined>;
  list(query?: Query<Contract>, options?: RunOptions): AsyncIterable<Entity<Contract>>;
  /** @throws {ClmError} NOT_FOUND, VALIDATION_FAILED, PRECONDITION_FAILED where `ifMatch` is not the row's etag any more */
  update(id: ContractRef, patch: Input<Contract>, options?: RunOptions & { ifMatch?: string }): Promise<void>;
  /**
   * The service documents the statuses but no rules between them: any known status is sent, unless the host gives its life cycle
   * (status → statuses that may follow). Then the present status is read first, a move outside of it is refused before anything is
   * changed, and the status that is there already is left alone.
   * @throws {ClmError} CONFLICT with the statuses that may follow; PRECONDITION_FAILED where another process was faster; NOT_FOUND
   */
  setStatus(
    id: ContractRef,
    status: ContractStatus,
    options?: RunOptions & { lifeCycle?: Record<string, string[]> },
  ): Promise<void>;
  /** Creates the types that are missing and corrects descriptions that differ; further types stay. Counts are of this call alone. */
  syncTypes(
    types: { name: string; description?: string }[],
    options?: RunOptions,
  ): Promise<{ created: number; updated: number }>;
}

export interface PurchaseAgreements {
  /**
   * By the service's validation entities, which store nothing. They need an existing header: without `on` neither header nor lines
   * can be checked, and both are `unchecked`. With it what differs is validated as `amend` would send it.
   */
  validate(draft: AgreementDraft, options?: RunOptions & { on?: AgreementRef }): Promise<AgreementValidation>;
  /**
   * Four steps: header on hold, lines validated, all lines in one change set, header effective. The header is found again by company
   * and ExternalContractId, so after the process died anywhere a repeat goes on. Where there are findings the header is still on hold:
   * correct the draft and call again. `AgreementStatus` of the draft takes the place of "Effective".
   * @throws {ClmError} VALIDATION_FAILED where the header itself is refused; CONFLICT where the agreement with that id is closed;
   * OUTCOME_UNKNOWN where an answer was lost and nothing is to be seen: call again
   */
  create(
    draft: AgreementDraft,
    options?: RunOptions,
  ): Promise<{ agreementId: string; validation: AgreementValidation }>;
  /**
   * Validates what differs and sends it in one change set: header properties, lines that are new or have other values, deletions of
   * lines that the draft lacks. With findings nothing is sent. `changed`: "header.PaymentTermsName", "line 2.CommittedQuantity",
   * "line 3 (new)", "line 4 (deleted)", by LineNumber.
   */
  amend(
    id: AgreementRef,
    draft: AgreementDraft,
    options?: RunOptions,
  ): Promise<{ changed: string[]; validation: AgreementValidation }>;
  /** The agreement with its lines in order, or undefined. It can go into `amend`, and changes nothing then. */
  get(id: AgreementRef | ByExternalId, options?: RunOptions): Promise<AgreementDraft | undefined>;
  /** Sets it to Closed; one that is closed already stays so. */
  close(id: AgreementRef, options?: RunOptions): Promise<void>;
}

export interface Connection {
  /** "NotStarted", "Success" or "Error" each; both "NotStarted" where nothing was set up yet. */
  status(options?: RunOptions): Promise<{ establishment: string; configuration: string; instanceName?: string }>;
  /**
   * Idempotent; says what it changed: "instance" (made), "BaseURL", "ViewContract (new)", "ViewContract.RelativeURL",
   * "ViewContract?id (new)", "ViewContract?old (deleted)", "EstablishmentStatus", "ConfigurationStatus". Links of other types stay.
   * A process that dies on the way leaves a connection that is not shown as ready; the same call goes on.
   * @throws {ClmError} VALIDATION_FAILED where a link is refused (the configuration status is "Error" then); CONFLICT for a link that
   * is there with another content and can't be reached by its key
   */
  establish(
    setup: { instanceName: string; baseUrl: string; navigationBaseUrl?: string; links: NavigationLink[] },
    options?: RunOptions,
  ): Promise<{ changed: string[] }>;
}

export function clm(call: Call, set: EntitySet<Contract>, parse: (text: string) => unknown): Clm {
  async function ask<T>(what: string, about: Record<string, unknown>, signal: AbortSignal | undefined): Promise<T> {
    const text = objectToJson(about, "the arguments");
    const answer = await call(signal, (c, s) => c.clm(what, text, s));
    return (answer === undefined ? undefined : parse(answer)) as T;
  }
  return {
    contracts: {
      create: (row, { signal } = {}) => ask("contracts.create", { row }, signal),
      get: (of, { signal } = {}) => ask("contracts.get", { of }, signal),
      list: (query, options) => set.list(query, options),
      update: (of, row, { signal, ifMatch } = {}) => ask("contracts.update", { of, row, ifMatch }, signal),
      setStatus: (of, status, { signal, lifeCycle } = {}) =>
        ask("contracts.setStatus", { of, status, lifeCycle }, signal),
      syncTypes: (types, { signal } = {}) => ask("contracts.syncTypes", { types }, signal),
    },
    agreements: {
      validate: (draft, { signal, on } = {}) => ask("agreements.validate", { draft, of: on }, signal),
      create: (draft, { signal } = {}) => ask("agreements.create", { draft }, signal),
      amend: (of, draft, { signal } = {}) => ask("agreements.amend", { of, draft }, signal),
      get: (of, { signal } = {}) => ask("agreements.get", { of }, signal),
      close: (of, { signal } = {}) => ask("agreements.close", { of }, signal),
    },
    connection: {
      status: ({ signal } = {}) => ask("connection.status", {}, signal),
      establish: (setup, { signal } = {}) => ask("connection.establish", { setup }, signal),
    },
    links: {
      vendor: (account, company, { signal } = {}) => ask("links.vendor", { account, company }, signal),
      contract: (of, { signal } = {}) => ask("links.contract", { of }, signal),
      agreement: (of, { signal } = {}) => ask("links.agreement", { of }, signal),
    },
  };
}
