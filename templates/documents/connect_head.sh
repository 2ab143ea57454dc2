#!/bin/sh
# Connects an S3 bucket: makes the role that the product assumes, and sets the bucket's CORS and
# lifecycle rules. Prints the role's ARN, which the product asks for.
#
# Needs the AWS CLI, signed in to the account that owns the bucket. Safe to run twice.
#
# A role or a bucket that has something else is left as it is, unless --replace is given:
# - a role whose trust policy does not ask for this external ID: nothing is done (exit status 1);
# - a bucket with other CORS or lifecycle rules: AWS replaces such rules as a whole, so they stay, and
#   the rules to add are printed (exit status 3, with the role made).
#
# With the lifecycle rules, AWS deletes what is in the folders temp/ and export/ below the bucket
# prefix after 7 days. A bucket whose objects are encrypted with a KMS key also needs the key's policy
# to let the account's IAM policies grant its use, as a key's default policy does.
set -eu

