
empty_policy='{"Version":"2012-10-17","Statement":[]}'
read_policy() {
  if look s3api get-bucket-policy --bucket="$bucket" --expected-bucket-owner="$signed_in" \
    ${region:+"--region=$region"} --query=Policy --output=text; then
    merge_policy "$answer"
  else
    merge_policy "$empty_policy"
  fi
}
policy_step=none
read_policy
if [ "$undo" = yes ]; then
  if [ "$ours" -gt 0 ]; then
    policy_step=merge
    will "remove the product's statements ($ours) from the policy of the bucket $bucket; the $others of others stay"
  fi
elif [ "$same" != True ]; then
  policy_step=merge
  will "add these statements to the policy of the bucket $bucket; the $others of others stay:
$grants"
fi
set_policy() {
  read_policy
  if [ "$undo" = yes ] && [ "$others" -eq 0 ]; then
    change s3api delete-bucket-policy --bucket="$bucket" --expected-bucket-owner="$signed_in" \
      ${region:+"--region=$region"}
  else
    change s3api put-bucket-policy --bucket="$bucket" --expected-bucket-owner="$signed_in" \
      ${region:+"--region=$region"} --policy="$merged"
  fi
}
