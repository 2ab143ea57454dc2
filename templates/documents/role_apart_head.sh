#!/bin/sh
# Makes the role that the product assumes, and nothing else: the bucket belongs to another account, which
# has a script of its own. Prints the role's ARN, which the product asks for, as soon as the role exists.
#
# Needs the AWS CLI, signed in to the account that is to have the role. Safe to run twice. --undo takes
# the role away.
#
