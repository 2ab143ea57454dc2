#!/bin/sh
# Connects an S3 bucket: makes the role that the product assumes, and sets the bucket's CORS and
# lifecycle rules. Prints the role's ARN, which the product asks for, as soon as the role exists.
#
# Needs the AWS CLI, signed in to the account that owns the bucket, which gets the role too. Safe to run
# twice. --undo takes back what it made.
#
