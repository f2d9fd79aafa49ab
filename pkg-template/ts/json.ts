/** Values on their way into the module and out of it as JSON: exactly, or not at all. */
import { type ClmError, invalid } from "./errors.js";
import { isWellFormed } from "./package/cells.js";

/**
 * JSON in which a bigint is a text of digits and a Date its `toISOString()`. What `JSON.stringify` would change in silence (NaN, an
 * invalid Date, half a surrogate pair, a function) is refused. `what` names the value in errors.
 * @throws {ClmError} INVALID_ARGUMENT
 */
export function toJson(value: unknown, what: string): string {
  const refuse = (key: string, why: string): ClmError =>
    invalid(`${key ? `"${key}" of ` : ""}${what} ${why}`, key ? { at: { column: key } } : undefined);
  // A plain function: `this` is the object that holds the key, with the value before any toJSON().
  function replace(this: unknown, key: string, converted: unknown): unknown {
    const raw = (this as Record<string, unknown>)[key];
    if (raw instanceof Date && Number.isNaN(raw.getTime())) throw refuse(key, "is an invalid Date");
    switch (typeof converted) {
      case "bigint":
        return converted.toString();
      case "number":
        if (!Number.isFinite(converted)) throw refuse(key, `is ${converted}, which JSON can't carry`);
        return converted;
      case "string":
        if (!isWellFormed(converted)) throw refuse(key, "has half of a surrogate pair: this is no valid Unicode text");
        return converted;
      case "function":
      case "symbol":
        throw refuse(key, `is a ${typeof converted}`);
      default:
        return converted;
    }
  }
  let text: string | undefined;
  try {
    text = JSON.stringify(value, replace);
  } catch (e) {
    if (e instanceof TypeError) throw invalid(`${what} can't become JSON`, { cause: e });
    throw e;
  }
  if (text === undefined) throw invalid(`${what} is missing`);
  return text;
}

/** The same for a value that must be an object. */
export function objectToJson(value: unknown, what: string): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return toJson(value, what);
  throw invalid(`${what} must be an object`);
}

/** How Int64 and Decimal come back; see ClientOptions. */
export type Numbers = "string" | "number" | "bigint";

/** What makes values of the module's JSON. Where Int64 is wanted as bigint, the module marks it: `{"$int64":"…"}`. */
export function parserFor(numbers: Numbers | undefined): (text: string) => unknown {
  return numbers === "bigint" ? (text) => withBigInts(JSON.parse(text)) : (text) => JSON.parse(text);
}

function withBigInts(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  // No property of the service can have that name.
  if (typeof object.$int64 === "string") return BigInt(object.$int64);
  for (const [key, inner] of Object.entries(object)) {
    const made = withBigInts(inner);
    // Only what has changed is set: a property may be called `__proto__`.
    if (made !== inner) object[key] = made;
  }
  return value;
}
