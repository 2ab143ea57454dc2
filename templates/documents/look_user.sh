
user_exists=no user_boundary=None user_setup=None user_key=None same_policy=None keys=''
if look iam get-user --user-name="$user_name" --output=text --query="User.[PermissionsBoundary.PermissionsBoundaryArn, \
Tags[?Key=='sallyport:setup'] | [0].Value, Tags[?Key=='sallyport:access-key'] | [0].Value]"; then
  user_exists=yes
  read -r user_boundary user_setup user_key <<EOF
$answer
EOF
  if [ "$user_setup" != "$setup" ]; then
    stop "The IAM user $user_name exists, and has no tag sallyport:setup of this setup. It may be in use by others." \
      "Remove it first, or make a user of another name by hand."
  fi
  if look iam get-user-policy --user-name="$user_name" --policy-name="$policy_name" --output=text \
    --query="PolicyDocument == \`$permission_policy\`"; then
    same_policy=$answer
  fi
  if look iam list-access-keys --user-name="$user_name" --query='AccessKeyMetadata[].AccessKeyId' \
    --output=text && [ "$answer" != None ]; then
    keys=$answer
  fi
fi

remove_user=no
remove_key=no
if [ "$undo" = no ]; then
  if [ "$user_exists" = no ]; then
    will "create the IAM user $user_name${boundary:+ with the permissions boundary $boundary}"
  elif [ -n "$boundary" ] && [ "$user_boundary" != "$boundary" ]; then
    will "set the permissions boundary of the user $user_name to $boundary; now: $user_boundary"
  fi
  if [ "$same_policy" != True ]; then
    will "give the user the inline policy $policy_name, which allows:
$grants"
  fi
  if [ -z "$keys" ]; then will "create an access key for the user $user_name, and show its secret once"; fi
elif [ "$user_exists" = no ]; then
  say "There is no IAM user $user_name."
else
  others=''
  for key in $keys; do
    if [ "$key" = "$user_key" ]; then
      remove_key=yes
      will "delete the access key $key, which this script made"
    else
      others="$others access key $key,"
    fi
  done
  for question in "list-user-policies PolicyNames[?@!='$policy_name']" \
    'list-attached-user-policies AttachedPolicies[].PolicyName' \
    'list-groups-for-user Groups[].GroupName' 'list-mfa-devices MFADevices[].SerialNumber'; do
    if look iam "${question%% *}" --user-name="$user_name" --query="${question#* }" --output=text \
      && [ -n "$answer" ] && [ "$answer" != None ]; then
      others="$others $answer,"
    fi
  done
  if look iam get-login-profile --user-name="$user_name" --query=LoginProfile.UserName --output=text; then
    others="$others a password,"
  fi
  if [ "$same_policy" != None ]; then will "remove the inline policy $policy_name of the user $user_name"; fi
  if [ -n "$others" ]; then
    say "The IAM user $user_name stays, because others gave it:${others%,}."
  else
    remove_user=yes
    will "delete the IAM user $user_name"
  fi
fi
