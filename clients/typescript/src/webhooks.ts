// Webhooks, verified by the Standard Webhooks library.

import { Webhook, WebhookVerificationError } from "standardwebhooks";

export { WebhookVerificationError };

export interface SallyportEvent {
  type: string;
  timestamp: string;
  /** `workspace_id` is null in a `webhook.test` of a webhook for all workspaces alone. */
  data: Record<string, unknown> & { workspace_id?: string | null; storage_id?: string; setup_id?: string; project_id?: string };
}

/**
 * The event in a request. `body` is the request's as it came, before anybody parsed it. Throws
 * `WebhookVerificationError` where the signature is not of this secret, or is older than five minutes.
 */
export function verify(secret: string, body: string, headers: Headers | Record<string, string>): SallyportEvent {
  const named = headers instanceof Headers ? Object.fromEntries(headers) : headers;
  return new Webhook(secret).verify(body, named) as SallyportEvent;
}
