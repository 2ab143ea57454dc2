# A stand-in for the AWS CLI: notes its arguments, and answers from the environment, by the query that it is
# given. What is set is there, what is not is an AWS error of that kind. The operation FAILING fails with
# FAILURE, the first TIMES times.
import json
import os
import sys

import jmespath

arguments = sys.argv[1:]
stdin = "" if sys.stdin.isatty() else sys.stdin.read()
arguments = [a.replace("=file:///dev/stdin", "=" + stdin) for a in arguments]
with open(os.environ["CALLS"], "a", encoding="utf-8") as calls:
    calls.write("".join(a + "\0" for a in arguments) + "\1\0")

environment = os.environ
operation = arguments[1]
options = dict(a[2:].split("=", 1) for a in arguments[2:] if "=" in a)


def refuse(code):
    sys.stderr.write(f"An error occurred ({code}) when calling the operation: refused\n")
    sys.exit(254)


if environment.get("FAILING") == operation:
    marks = environment["CALLS"] + ".failed"
    count = os.path.getsize(marks) if os.path.exists(marks) else 0
    if count < 2 * int(environment["TIMES"]):
        with open(marks, "a", encoding="utf-8") as file:
            # A question is asked twice.
            file.write("x" if operation.startswith("get-") else "xx")
        sys.stderr.write(f"An error occurred ({environment['FAILURE']}\n")
        sys.exit(254)


def stored(name, absent):
    value = environment.get(name)
    if value and value.startswith("@"):
        with open(value[1:], encoding="utf-8") as file:
            return json.load(file)
    if value:
        return json.loads(value)
    refuse(environment.get(name + "_ERROR", absent))


account = environment.get("ACCOUNT", "444455556666")
if operation == "get-caller-identity":
    answer = {"Account": account, "Arn": f"arn:aws:iam::{account}:user/admin"}
elif operation == "head-bucket":
    if environment.get("OWNER", account) != options["expected-bucket-owner"]:
        refuse("403")
    answer = {}
elif operation == "get-role":
    answer = {"Role": stored("ROLE", "NoSuchEntity")}
elif operation in ("get-role-policy", "get-user-policy"):
    answer = {"PolicyDocument": stored("INLINE", "NoSuchEntity")}
elif operation == "create-role":
    answer = {"Role": {"Arn": "arn:of:the:role"}}
elif operation == "get-user":
    answer = {"User": stored("AWS_USER", "NoSuchEntity")}
elif operation == "get-login-profile":
    refuse("NoSuchEntity")
elif operation == "list-access-keys":
    keys = environment.get("KEYS", "").split()
    answer = {"AccessKeyMetadata": [{"AccessKeyId": key} for key in keys]}
elif operation == "create-access-key":
    answer = {"AccessKey": {"AccessKeyId": "AKIANEW", "SecretAccessKey": "shown/once+"}}
elif operation.startswith("list-"):
    answer = json.loads(environment.get("LISTED", "{}"))
elif operation == "get-bucket-cors":
    answer = stored("CORS", "NoSuchCORSConfiguration")
elif operation == "get-bucket-lifecycle-configuration":
    answer = stored("LIFECYCLE", "NoSuchLifecycleConfiguration")
elif operation == "get-bucket-policy":
    answer = {"Policy": json.dumps(stored("BUCKET_POLICY", "NoSuchBucketPolicy"))}
elif operation == "get-key-policy":
    answer = {"Policy": json.dumps(stored("KEY_POLICY", "AccessDeniedException"))}
else:
    answer = None


def text(value):
    if isinstance(value, list):
        if any(isinstance(item, list) for item in value):
            return "\n".join(text(item) for item in value)
        return "\t".join(text(item) for item in value)
    return str(value)


if "query" in options:
    answer = jmespath.search(options["query"], answer)
if answer is not None or "query" in options:
    print(text(answer) if options.get("output") == "text" else json.dumps(answer, indent=4, ensure_ascii=False))
