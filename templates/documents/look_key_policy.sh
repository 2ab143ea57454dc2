
read_policy() {
  look kms get-key-policy --key-id="$key" --policy-name=default --region="$region" \
    --query=Policy --output=text || exit 1
  merge_policy "$answer"
}
policy_step=none
read_policy
if [ "$undo" = yes ]; then
  if [ "$ours" -gt 0 ]; then
    if [ "$others" -eq 0 ]; then stop "The key's policy would have no statement left."; fi
    policy_step=merge
    will "remove the product's statement from the policy of the key $key; the $others of others stay"
  fi
elif [ "$same" != True ]; then
  policy_step=merge
  will "add this statement to the policy of the key $key; the $others of others stay:
$grants"
fi
set_policy() {
  read_policy
  change kms put-key-policy --key-id="$key" --policy-name=default --region="$region" --policy="$merged"
}
