"""`make demo`: the service with an emulated AWS and sample files, until Ctrl-C."""

import os
import signal
import sys

sys.dont_write_bytecode = True
import accounts  # noqa: E402
import administrator  # noqa: E402
import environment  # noqa: E402
from environment import DemoFailed, say, services  # noqa: E402


def describe(state, helper):
    url, token = state["url"], state["workspace"]
    customer = state["keys"]["customer"]
    link = environment.sign_in_link(url, token["id"])
    return f"""
Open this page, which signs you in as the workspace's admin (the link works once):
  {link}

{administrator.NAME}. It applies what the dialog shows:
  {helper}

Sallyport runs at      {url}
API documentation      {url}/docs
Emulated AWS           {state["aws_url"]}
Data and logs          {environment.FOLDER}

Workspace {token["id"]} (these tokens are for this demo only):
  workspace admin      {token["admin"]}
  workspace member     {token["member"]}
  operator             {environment.OPERATOR_TOKEN}

Call it:
  curl -H 'Authorization: Bearer {token["member"]}' {url}/v1/workspace
  curl -X POST -H 'Authorization: Bearer {token["admin"]}' \\
    -H 'Content-Type: application/json' -d '{{}}' {url}/v1/storage-setups

The customer's AWS account {accounts.CUSTOMER} has the bucket {accounts.CUSTOMER_BUCKET}. Its administrator's
credentials, for the AWS CLI or `sallyport provision`:
  export AWS_ENDPOINT_URL={state["aws_url"]} AWS_REGION={accounts.REGION}
  export AWS_ACCESS_KEY_ID={customer["access_key_id"]}
  export AWS_SECRET_ACCESS_KEY={customer["secret_access_key"]}

`make demo-walk` in another terminal runs the main workflow. Ctrl-C ends the demo.
"""


def main():
    state = environment.running()
    if state:
        say(f"A demo is already running at {state['url']}. End it first.")
        return 1

    def end(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    port = os.environ.get("PORT", "")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        say(f"PORT={port} is not a port: use a number up to 65535.")
        return 2
    try:
        with (
            environment.demo(int(port) if port else None) as (state, service),
            administrator.serving(state) as helper,
        ):
            say(describe(state, helper))
            service.process.wait()
            say(f"The service exited unexpectedly. Its log:\n{service.log_tail()}")
            return 1
    except KeyboardInterrupt:
        say("\nThe demo has ended. `make demo` continues with the same data.")
        return 0
    except (DemoFailed, services.StartFailed) as error:
        say(f"demo: {error}\nIf the problem persists, remove {environment.FOLDER} and try again.")
        return 1


if __name__ == "__main__":
    sys.exit(main())
