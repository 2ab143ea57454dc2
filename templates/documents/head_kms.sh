#
# A bucket whose objects are encrypted with a KMS key also needs the key's policy to allow the use of the
# key: a key's default policy lets the IAM policies of the key's own account do so. For a role of another
# account, the key's policy must name the role.
