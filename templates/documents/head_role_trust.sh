#
# A role of this name that is not this setup's is left as it is, and so is everything else (exit status 1).
