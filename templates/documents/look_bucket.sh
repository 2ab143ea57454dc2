
# S3 answers only if this account owns the bucket.
if [ -n "$bucket_account" ] && [ "$signed_in" != "$bucket_account" ]; then
  say "The bucket $bucket belongs to account $bucket_account and stays as it is. Once the product knows the"
  say "role, it has a script for that account."
  cors='' lifecycle=''
elif ! answer=$(aws s3api head-bucket --bucket="$bucket" --expected-bucket-owner="$signed_in" \
  ${region:+"--region=$region"} 2>&1); then
  case $undo$answer in
    yes*'(404)'*)
      say "There is no bucket $bucket."
      cors='' lifecycle=''
      ;;
    *)
      stop "$answer" "Account $signed_in does not own the bucket $bucket, or you may not see it" \
        "(s3:ListBucket on the bucket)."
      ;;
  esac
fi
