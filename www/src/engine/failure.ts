/** An error on its way from the worker to the page, and what a page shows of any error. */
export interface Failure {
  code: string;
  message: string;
  hint?: string;
  at?: { file?: string; entity?: string; line?: number; column?: string };
}

/** An error of the worker, in the page. */
export class EngineError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) return error.failure;
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const { code, hint, at } = error as Partial<Failure>;
  return {
    code: typeof code === "string" ? code : "",
    message: error.message,
    ...(typeof hint === "string" && { hint }),
    ...(typeof at === "object" && { at }),
  };
}
