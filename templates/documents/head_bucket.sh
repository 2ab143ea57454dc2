#!/bin/sh
# Lets a role of another account use an S3 bucket: adds statements to the bucket's policy, and CORS and
# lifecycle rules to the bucket where the setup has them.
#
# Needs the AWS CLI, signed in to the account that owns the bucket. The role must exist.
