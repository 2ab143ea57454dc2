
# The external ID that each statement of the role's trust policy asks for.
role_exists=no role_arn='' role_boundary=None role_setup=None
same_trust=False same_policy=None
if look iam get-role --role-name="$role_name" --output=text \
  --query='[Role.AssumeRolePolicyDocument.Statement][].[Condition.StringEquals."sts:ExternalId"]'; then
  role_exists=yes
  if [ "$answer" != "$external_id" ]; then
    stop "The role $role_name exists, and its trust policy is not this setup's. It may be in use by others." \
      "Remove it, or give the product a role of another name."
  fi
  if look iam get-role --role-name="$role_name" --output=text --query="Role.[Arn, \
PermissionsBoundary.PermissionsBoundaryArn, Tags[?Key=='sallyport:setup'] | [0].Value, \
AssumeRolePolicyDocument == \`$trust_policy\`]"; then
    read -r role_arn role_boundary role_setup same_trust <<EOF
$answer
EOF
  fi
  if look iam get-role-policy --role-name="$role_name" --policy-name="$policy_name" --output=text \
    --query="PolicyDocument == \`$permission_policy\`"; then
    same_policy=$answer
  fi
fi

role_others=''
remove_role=no
if [ "$undo" = no ]; then
  if [ "$role_exists" = no ]; then
    will "create the role $role_name${boundary:+ with the permissions boundary $boundary}, which
  $service_principal may assume with the external ID $external_id"
  elif [ "$same_trust" != True ]; then
    will "set the trust policy of the role $role_name, so that $service_principal may assume it"
  fi
  if [ "$role_exists" = yes ] && [ -n "$boundary" ] && [ "$role_boundary" != "$boundary" ]; then
    will "set the permissions boundary of the role $role_name to $boundary; now: $role_boundary"
  fi
  if [ "$same_policy" != True ]; then
    will "give the role the inline policy $policy_name, which allows:
$grants"
  fi
elif [ "$role_exists" = no ]; then
  say "There is no role $role_name."
else
  for question in "list-role-policies PolicyNames[?@!='$policy_name']" \
    'list-attached-role-policies AttachedPolicies[].PolicyName' \
    'list-instance-profiles-for-role InstanceProfiles[].InstanceProfileName'; do
    if look iam "${question%% *}" --role-name="$role_name" --query="${question#* }" --output=text \
      && [ -n "$answer" ] && [ "$answer" != None ]; then
      role_others="$role_others $answer"
    fi
  done
  if [ "$same_policy" != None ]; then will "remove the inline policy $policy_name of the role $role_name"; fi
  if [ -n "$setup" ] && [ "$role_setup" != "$setup" ]; then
    say "The role $role_name stays: it has no tag sallyport:setup of this setup, so this script did not make it."
  elif [ -n "$role_others" ]; then
    say "The role $role_name stays, and can still be assumed: others gave it$role_others."
  else
    remove_role=yes
    will "delete the role $role_name"
  fi
fi
