
if [ "$undo" = no ]; then
  if [ "$role_exists" = no ]; then
    role_arn=$(aws iam create-role --role-name="$role_name" --path="$role_path" \
      --assume-role-policy-document="$trust_policy" ${boundary:+"--permissions-boundary=$boundary"} \
      ${setup:+"--tags=Key=sallyport:setup,Value=$setup"} --query=Role.Arn --output=text) \
      || stop "The role was not created."
    changed=yes
    say "The role $role_name was created: $role_arn"
  else
    if [ "$same_trust" != True ]; then
      retry change iam update-assume-role-policy --role-name="$role_name" --policy-document="$trust_policy"
      say "Its trust policy was set."
    fi
    if [ -n "$boundary" ] && [ "$role_boundary" != "$boundary" ]; then
      retry change iam put-role-permissions-boundary --role-name="$role_name" --permissions-boundary="$boundary"
      say "Its permissions boundary was set."
    fi
  fi
  if [ "$same_policy" != True ]; then
    retry change iam put-role-policy --role-name="$role_name" --policy-name="$policy_name" \
      --policy-document="$permission_policy"
    say "Its permission policy was set."
  fi
fi
