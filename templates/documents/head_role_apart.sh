#!/bin/sh
# Makes the role that the product assumes, and nothing else: the bucket belongs to another account, which
# has a script of its own. Prints the role's ARN.
#
# Needs the AWS CLI, signed in to the account that is to have the role.
