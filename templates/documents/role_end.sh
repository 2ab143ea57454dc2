
if [ "$undo" = yes ]; then
  remove_role
fi
