
# Until the role is known, its account is not known either: then this is the place to see it.
if [ -n "$bucket_account" ] && [ "$signed_in" != "$bucket_account" ]; then
  say "The bucket belongs to account $bucket_account: it stays as it is. Enter the role's ARN in the product,"
  say "which then has a script for that account."
  cors='' lifecycle=''
fi
