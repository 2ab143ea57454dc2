#!/bin/sh
# Lets a role of another account use a KMS key: adds a statement to the key's policy. The role's
# permission policy must allow the same; the role's own script sees to that.
#
# Needs the AWS CLI, signed in to the account that owns the key, and the program jq. The role must exist.
# Safe to run twice. --undo takes the statement away.
#
# The statements of others stay. A statement is ours by its Sid and its principal. A change that somebody
# else makes to the policy in the same second is lost.
