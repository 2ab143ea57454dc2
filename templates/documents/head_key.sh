#!/bin/sh
# Lets a role of another account use a KMS key: adds a statement to the key's policy. The role's
# permission policy must allow the same; the role's own script sees to that.
#
# Needs the AWS CLI, signed in to the account that owns the key. The role must exist.
