#!/bin/sh
# Connects an S3 bucket: makes the role that the product assumes, and sets the bucket's CORS and
# lifecycle rules. Prints the role's ARN, which the product asks for.
#
# Needs the AWS CLI, signed in to the account that owns the bucket. Safe to run twice.
#
# The bucket's other CORS and lifecycle rules stay: AWS replaces such rules as a whole, so the script
# reads them, adds its own, and writes all of them. A rule that somebody else adds in the same second is
# lost.
#
# A role whose trust policy does not ask for this external ID in every statement is left as it is, and so
# is everything else (exit status 1), unless --replace is given.
#
# With the lifecycle rules, AWS deletes what is in the folders temp/ and export/ below the bucket
# prefix after 7 days. A bucket whose objects are encrypted with a KMS key also needs the key's policy
# to let the account's IAM policies grant its use, as a key's default policy does.
set -eu

