
if [ "$undo" = no ]; then
  if [ "$user_exists" = no ]; then
    retry change iam create-user --user-name="$user_name" --path="$role_path" \
      ${boundary:+"--permissions-boundary=$boundary"} --tags="Key=sallyport:setup,Value=$setup"
    say "The IAM user $user_name was created."
  elif [ -n "$boundary" ] && [ "$user_boundary" != "$boundary" ]; then
    retry change iam put-user-permissions-boundary --user-name="$user_name" --permissions-boundary="$boundary"
    say "Its permissions boundary was set."
  fi
  if [ "$same_policy" != True ]; then
    retry change iam put-user-policy --user-name="$user_name" --policy-name="$policy_name" \
      --policy-document="$permission_policy"
    say "Its policy was set."
  fi
fi
