// The errors of the API. `codes.ts` has a class for each code.

export interface ProblemBody {
  code?: string;
  detail?: string;
  remedy?: string;
  request_id?: string;
  errors?: { field: string; code: string; detail: string }[];
  [member: string]: unknown;
}

/** An error that the service answered (RFC 9457). A code without a class of its own is of this one. */
export class SallyportError extends Error {
  /** What kind of problem it is; stable. */
  readonly code: string;
  /** What happened, and why. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy: string | undefined;
  /** The operator finds the request in the log by it. */
  readonly requestId: string | undefined;
  /** The fields that were refused. */
  readonly errors: NonNullable<ProblemBody["errors"]>;

  constructor(
    readonly status: number,
    /** The whole problem, with the members that only some codes have. */
    readonly problem: ProblemBody,
    /** In how many seconds to try again. */
    readonly retryAfter: number | undefined,
  ) {
    const detail = problem.detail ?? `The server answered ${status}, and not as Sallyport does.`;
    super(`${detail} (${problem.code ?? "no code"}, HTTP ${status}, request ${problem.request_id})`);
    this.name = new.target.name;
    this.code = problem.code ?? "";
    this.detail = detail;
    this.remedy = problem.remedy;
    this.requestId = problem.request_id;
    this.errors = problem.errors ?? [];
  }
}
