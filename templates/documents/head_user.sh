#!/bin/sh
# Connects an S3 bucket by an access key: makes an IAM user with one policy and one access key, and adds CORS
# and lifecycle rules to the bucket where the setup has them. Shows the secret access key once, and keeps it
# in no file. A user that has a key gets no other: a second run prints the ID of the key that it has.
#
# Needs the AWS CLI, signed in to the account that owns the bucket, which gets the user too.
