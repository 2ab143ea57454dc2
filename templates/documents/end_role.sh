
if [ "$undo" = yes ]; then
  if [ "$same_policy" != None ]; then
    retry change iam delete-role-policy --role-name="$role_name" --policy-name="$policy_name"
    say "The inline policy $policy_name was removed."
  fi
  if [ "$remove_role" = yes ]; then
    retry change iam delete-role --role-name="$role_name"
    say "The role $role_name was deleted."
  fi
else
  say "The role's ARN:"
  printf '%s\n' "$role_arn"
fi
