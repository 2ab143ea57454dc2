
found=$(aws kms get-key-policy --key-id="$key" --policy-name=default --region="$region" \
  --query=Policy --output=text)
merge_statements "$found"
if [ "$count" -eq 0 ]; then
  say "The key's policy would have no statement left. It stays as it is."
  exit 1
fi
attempt kms put-key-policy --key-id="$key" --policy-name=default --region="$region" --policy="$merged"
say "The key's policy was set. The statements of others stayed."
