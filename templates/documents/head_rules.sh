#
# AWS replaces a bucket's CORS rules, lifecycle rules and policy as a whole. The script reads them, changes
# its own, and writes all of them back, so those of others stay. What somebody else changes in the second
# between is lost.
