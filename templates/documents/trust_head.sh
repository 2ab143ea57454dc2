# A role whose trust policy does not ask for this external ID in every statement is left as it is, and so
# is everything else (exit status 1), unless --replace is given.
#
# A bucket whose objects are encrypted with a KMS key also needs the key's policy to allow the use of the
# key: a key's default policy lets the IAM policies of the key's own account do so. For a role of another
# account, the key's policy must name the role, and the role's permission policy the key.
