/** Requests without sending them, for hosts that bring their own HTTP stack. */
import { type BatchOperation, type BatchOptions, batchJson, batchResults, etagJson, operationJson } from "./batch.js";
import { invalid } from "./errors.js";
import type { Filter } from "./filter.js";
import { loader } from "./init.js";
import { type Numbers, objectToJson, parserFor, toJson } from "./json.js";
import { countJson, type Query, queryJson } from "./query.js";
import { type CatalogSchema, partsOf, type SchemaData } from "./schema-data.js";
import type { Wire } from "./wire.js";

/** How a request is shaped. */
export interface ShapeOptions {
  /** The tenant's own entities; default: the catalogue. */
  schema?: SchemaData | CatalogSchema;
  /** Company of rows where a call names none. */
  company?: string;
}

/** How an answer is read. */
export interface ReadOptions {
  /** The schema that the request was shaped by. */
  schema?: SchemaData | CatalogSchema;
  /** How Int64 and Decimal come back. Default "string": nothing is lost. */
  numbers?: Numbers;
}

/** A request as plain data. The host adds `authorization: Bearer …`, and follows no redirect: that would be the sign-in page. */
export interface HttpRequest {
  method: string;
  url: string;
  /** By lower-case name. */
  headers: Record<string, string>;
  body?: Uint8Array | string;
}

/** A response as plain data; names of headers in any case. */
export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | string;
}

/**
 * Requests as EntitySet and `batch` send them, byte by byte, and the meaning of their answers. All synchronous: `await init()` first,
 * or each throws NOT_INITIALIZED. Errors of all: INVALID_ARGUMENT, UNKNOWN_ENTITY, UNKNOWN_PROPERTY, UNSUPPORTED_QUERY.
 *
 * @example
 * await init();
 * const request = requests.get(baseUrl, "VendorsV2", { dataAreaId: "usmf", VendorAccountNumber: "1001" });
 * const vendor = requests.read(request, await myStack.send(request));
 */
export const requests = {
  /** A list. `read` gives `{ items, count?, next? }`; `next` is the request for the page behind it. */
  list(baseUrl: string, entity: string, query?: Query, options?: ShapeOptions): HttpRequest {
    return shape(baseUrl, options, "get", entity, { query: queryJson(query) });
  },
  /** Number of rows. `read` gives it. */
  count(
    baseUrl: string,
    entity: string,
    filter?: Filter | string,
    { crossCompany, ...options }: ShapeOptions & { crossCompany?: boolean } = {},
  ): HttpRequest {
    const companies = crossCompany === undefined ? {} : { crossCompany };
    return shape(baseUrl, options, "count", entity, { query: countJson(filter, companies) });
  },
  /** One row. `read` gives it, or undefined where there is none. */
  get(baseUrl: string, entity: string, key: object, query?: Query, options?: ShapeOptions): HttpRequest {
    return shape(baseUrl, options, "get", entity, { key: objectToJson(key, "the key"), query: queryJson(query) });
  },
  /** A new row. `read` gives it as stored. Not to be sent again where no answer came: look for the row first. */
  create(baseUrl: string, entity: string, value: object, options?: ShapeOptions): HttpRequest {
    return shape(baseUrl, options, "create", entity, { value: objectToJson(value, "the row") });
  },
  /** A change of the named properties. `read` gives undefined. */
  update(
    baseUrl: string,
    entity: string,
    key: object,
    patch: object,
    { ifMatch, ...options }: ShapeOptions & { ifMatch?: string } = {},
  ): HttpRequest {
    const fields = { key: objectToJson(key, "the key"), value: objectToJson(patch, "the change") };
    return shape(baseUrl, options, "update", entity, { ...fields, ifMatch: etagJson(ifMatch) });
  },
  /** `read` gives undefined. */
  delete(
    baseUrl: string,
    entity: string,
    key: object,
    { ifMatch, ...options }: ShapeOptions & { ifMatch?: string } = {},
  ): HttpRequest {
    const fields = { key: objectToJson(key, "the key"), ifMatch: etagJson(ifMatch) };
    return shape(baseUrl, options, "delete", entity, fields);
  },
  /** A call of an action. `read` gives its value. */
  action(
    baseUrl: string,
    entity: string,
    name: string,
    parameters: object = {},
    key?: object,
    options?: ShapeOptions,
  ): HttpRequest {
    return shape(baseUrl, options, "action", entity, {
      name: toJson(name, "the name of the action"),
      parameters: objectToJson(parameters, "the parameters"),
      key: key === undefined ? undefined : objectToJson(key, "the key"),
    });
  },
  /** All of them in one request, 5,000 at most. `read` gives BatchResult[], and needs the request's body for it. */
  batch(
    baseUrl: string,
    operations: readonly BatchOperation[],
    options: ShapeOptions & Omit<BatchOptions, "size"> = {},
  ): HttpRequest {
    const { schema, ...rest } = options;
    const parts = schema === undefined ? {} : { schema: partsOf(schema) };
    const wanted = batchJson(operations, { ...rest, ...parts }, { baseUrl: String(baseUrl) });
    return JSON.parse(called((wire) => wire.shapeRequest(wanted)));
  },
  /**
   * What the answer to such a request means; it goes by method, URL and (of a batch) body.
   * @throws {ClmError} what the service refused, with its reason; INVALID_ARGUMENT for another request
   */
  read(request: HttpRequest, response: HttpAnswer, options: ReadOptions = {}): unknown {
    if (typeof request !== "object" || request === null) throw invalid("an answer is read with its request");
    if (typeof response !== "object" || response === null) throw invalid("there is no response to read");
    const { method, url, headers: sent, body } = request;
    const { schema, numbers } = options;
    const status = response.status;
    const answer = { method, url: String(url), sent, body: textOf(body), status, headers: response.headers };
    const parts = schema === undefined ? {} : { schema: partsOf(schema) };
    const text = objectToJson({ ...answer, ...parts, numbers }, "the request or response");
    const bytes = typeof response.body === "string" ? new TextEncoder().encode(response.body) : response.body;
    const value = called((wire) => wire.readAnswer(text, bytes ?? new Uint8Array()));
    if (value === undefined) return undefined;
    const parse = parserFor(numbers);
    return isBatch(request) ? batchResults(value, parse) : parse(value);
  },
};

function shape(
  baseUrl: string,
  options: ShapeOptions | undefined,
  op: string,
  entity: string,
  fields: Record<string, string | undefined>,
): HttpRequest {
  const parts = options?.schema === undefined ? {} : { schema: partsOf(options.schema) };
  const environment = objectToJson({ ...options, ...parts, baseUrl: String(baseUrl) }, "the options");
  const wanted = `${environment.slice(0, -1)},"operation":${operationJson(op, entity, fields)}}`;
  return JSON.parse(called((wire) => wire.shapeRequest(wanted)));
}

function called<T>(call: (wire: Wire) => T): T {
  const wire = loader.current();
  try {
    return call(wire);
  } catch (e) {
    throw loader.failure(e);
  }
}

function isBatch({ url }: HttpRequest): boolean {
  return String(url).endsWith("/data/$batch");
}

function textOf(body: Uint8Array | string | undefined): string | undefined {
  return body === undefined || typeof body === "string" ? body : new TextDecoder().decode(body);
}
