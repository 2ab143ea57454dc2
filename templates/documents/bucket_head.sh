#!/bin/sh
# Lets a role of another account use an S3 bucket: adds statements to the bucket's policy, and sets the
# bucket's CORS and lifecycle rules.
#
# Needs the AWS CLI, signed in to the account that owns the bucket, and the program jq where the bucket has
# a policy. The role must exist. Safe to run twice. --undo takes back what it added.
#
# The statements of others in the bucket's policy stay. A statement is one of ours by its Sid and its
# principal. A change that somebody else makes to the policy in the same second is lost.
#
