
if [ "$undo" = yes ]; then
  if [ "$remove_key" = yes ]; then
    retry change iam delete-access-key --user-name="$user_name" --access-key-id="$user_key"
    say "The access key $user_key was deleted."
  fi
  if [ "$same_policy" != None ]; then
    retry change iam delete-user-policy --user-name="$user_name" --policy-name="$policy_name"
    say "The inline policy $policy_name was removed."
  fi
  if [ "$remove_user" = yes ]; then
    # IAM itself refuses to delete a user that has anything else, such as an SSH key or a certificate.
    if change iam delete-user --user-name="$user_name"; then
      say "The IAM user $user_name was deleted."
    else
      case $answer in
        *'(DeleteConflict)'*) say "The IAM user $user_name stays, because others gave it something: $answer" ;;
        *) stop "$answer" ;;
      esac
    fi
  fi
elif [ -n "$keys" ]; then
  say "The user has an access key. AWS shows a secret only when its key is made."
  for key in $keys; do printf 'Access key ID: %s\n' "$key"; done
else
  pair=$(aws iam create-access-key --user-name="$user_name" --output=text \
    --query='AccessKey.[AccessKeyId, SecretAccessKey]') || stop "The access key was not created."
  changed=yes
  read -r user_key secret <<EOF
$pair
EOF
  say "The access key was created. The secret is shown now and never again; it is in no file."
  printf 'Access key ID: %s\nSecret access key: %s\n' "$user_key" "$secret"
  # By this tag, --undo knows the key.
  retry change iam tag-user --user-name="$user_name" --tags="Key=sallyport:access-key,Value=$user_key"
fi
