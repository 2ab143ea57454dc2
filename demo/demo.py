"""`make demo` and `sallyport dev`: the service with an emulated AWS and sample files, until Ctrl-C."""

import argparse
import os
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
import accounts  # noqa: E402
import administrator  # noqa: E402
import environment  # noqa: E402
from environment import DemoFailed, say, services  # noqa: E402


def describe(state, helper, command):
    url, token = state["url"], state["workspace"]
    customer = state["keys"]["customer"]
    webhook = state["webhook"]
    events = f"{webhook['url']}, signed with {webhook['secret']}" if webhook else "none: name one with --webhook URL"
    return f"""
Open this page, which signs you in as the workspace's admin (the link works once, for ten minutes):
  {environment.sign_in_link(url, token["id"])}
As a member:
  {environment.sign_in_link(url, token["id"], "member", "projects")}

{administrator.NAME}. It applies what the dialog shows, and signs you in again:
  {helper}

Sallyport runs at      {url}
API documentation      {url}/docs
Emulated AWS           {state["aws_url"]}
Data and logs          {environment.FOLDER}
Webhook                {events}

Secrets, for this demo only:
  operator             {environment.OPERATOR_TOKEN}
  product key          {state["key"]}
  workspace            {token["id"]}
  workspace admin      {token["admin"]}
  workspace member     {token["member"]}

A product reads its variables from a file:
  . {environment.variables_file()}

The customer's side, by a call:
  curl -H 'Content-Type: application/json' -d '{{"setup_id": "set_..."}}' {url}/dev/customer/apply
  curl -H 'Content-Type: application/json' -d '{{"storage_id": "sto_...", "how": "role_deleted"}}' {url}/dev/break
  curl -H 'Content-Type: application/json' -d '{{"storage_id": "sto_..."}}' {url}/dev/repair

The customer's AWS account {accounts.CUSTOMER} has the bucket {accounts.CUSTOMER_BUCKET}. Its administrator's
credentials, for the AWS CLI or `sallyport provision`:
  export AWS_ENDPOINT_URL={state["aws_url"]} AWS_REGION={accounts.REGION}
  export AWS_ACCESS_KEY_ID={customer["access_key_id"]}
  export AWS_SECRET_ACCESS_KEY={customer["secret_access_key"]}

Ctrl-C ends {command}.
"""


def arguments():
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--binary", help="the program `sallyport`")
    parser.add_argument("--data", help="the folder of the data")
    parser.add_argument("--temporary", action="store_true", help="a folder that is removed at the end")
    parser.add_argument("--port", help="the service's port")
    parser.add_argument("--origin", action="append", default=[], help="a web origin of the product")
    parser.add_argument("--webhook", help="where events go")
    return parser.parse_args()


def serve(options, port, command):
    """Runs everything until Ctrl-C. Returns the exit status."""
    state = environment.running()
    if state:
        say(f"{command} is already running with this data, at {state['url']}. End it first.")
        return 1
    try:
        helper = administrator.Helper()
        with (
            environment.demo(port, helper.url, options.origin, options.webhook) as (state, service),
            helper.serving(state),
        ):
            say(describe(state, helper.url, command))
            service.process.wait()
            say(f"The service exited unexpectedly. Its log:\n{service.log_tail()}")
            return 1
    except KeyboardInterrupt:
        kept = "" if options.temporary else f" The next run with {environment.FOLDER} continues with the same data."
        say(f"\n{command} has ended.{kept}")
        return 0
    except (DemoFailed, services.StartFailed) as error:
        hint = "" if options.temporary else f"\nIf the problem persists, remove {environment.FOLDER} and try again."
        say(f"{command}: {error}{hint}")
        return 1


def main():
    options = arguments()
    command = "`sallyport dev`" if options.binary else "`make demo`"

    def end(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    # A developer's own PORT is the product's.
    port = options.port or ("" if options.binary else os.environ.get("PORT", ""))
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        say(f"{port} is not a port: use a number up to 65535.")
        return 2
    environment.BINARY = options.binary
    port = int(port) if port else None
    if options.temporary:
        with tempfile.TemporaryDirectory(prefix="sallyport-dev-") as folder:
            environment.FOLDER = folder
            return serve(options, port, command)
    if options.data:
        environment.FOLDER = os.path.abspath(options.data)
    return serve(options, port, command)


if __name__ == "__main__":
    sys.exit(main())
