#
# It looks first, says what it will do, and asks before it changes anything. Safe to run twice.
#   --dry-run  says what it would do, and changes nothing
#   --yes      does not ask; without it and without a terminal, nothing is changed (exit status 2)
#   --undo     takes back what it made, and nothing else
