#!/bin/sh
# Connects an S3 bucket: makes the role that the product assumes, and adds CORS and lifecycle rules to the
# bucket where the setup has them. Prints the role's ARN.
#
# Needs the AWS CLI, signed in to the account that owns the bucket, which gets the role too.
